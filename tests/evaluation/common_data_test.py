"""Which runs can be compared: those that were trained on the same data."""

import types

import pytest

from keras3dgan.errors import InputError
from keras3dgan.evaluation.common_data import by_data, common_data


def _runs(*datasets, classes=("chair",), resolution=32):
    settings = [{"dataset": name, "classes": list(classes), "resolution": resolution} for name in datasets]
    return [types.SimpleNamespace(settings=each) for each in settings]


@pytest.mark.parametrize(
    ("datasets", "expected"),
    [
        (("furniture_voxels", "furniture_voxels"), "furniture_voxels"),
        (("modelnet10.npz", "modelnet10.npz"), "modelnet10.npz"),
        # A preset's, and a run's that tells where the file is.
        (("modelnet10.npz", "data/modelnet10.npz"), "data/modelnet10.npz"),
        (("data/modelnet10.NPZ", "modelnet10.NPZ"), "data/modelnet10.NPZ"),
    ],
)
def test_the_data_of_all(datasets, expected):
    assert common_data(_runs(*datasets)) == (expected, ("chair",), 32)


@pytest.mark.parametrize(
    "runs",
    [
        _runs("furniture_voxels", "modelnet_voxels/32"),
        _runs("a/modelnet10.npz", "b/modelnet10.npz"),
        _runs("modelnet10.npz", "a/modelnet10.npz", "b/modelnet10.npz"),
        _runs("modelnet10.npz", "a/other.npz"),
        _runs("32", "modelnet_voxels/32"),
        [*_runs("a.npz"), *_runs("a.npz", classes=("sofa",))],
        [*_runs("a.npz"), *_runs("a.npz", resolution=64)],
    ],
)
def test_different_data_are_refused(runs):
    with pytest.raises(InputError, match="models: these were trained on different data"):
        common_data(runs)


def test_groups_of_the_same_data():
    runs = _runs("a.npz", "furniture_voxels", "here/a.npz", "b.npz")
    assert by_data(runs) == {
        ("here/a.npz", ("chair",), 32): [runs[0], runs[2]],
        ("furniture_voxels", ("chair",), 32): [runs[1]],
        ("b.npz", ("chair",), 32): [runs[3]],
    }
