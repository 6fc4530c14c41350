"""Archives that hold their splits: what is written is read, and what does not fit together is refused."""

import numpy as np
import pytest

from keras3dgan import data
from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels import split_archive
from tests.conftest import boxes

_SPLITS = np.array(["train"] * 5 + ["validation"] + ["test"] * 2)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "shapes.npz"
    split_archive.write(path, boxes(8), _SPLITS, {"licences": np.array(["CC0"] * 8)})
    return path


def test_every_split_comes_back(archive):
    assert split_archive.holds_splits(archive)
    for split in data.SPLITS:
        expected, found = boxes(8).take(split == _SPLITS), data.load(str(archive), split, (), 16)
        for name in ("packed", "labels", "ids"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert found.class_names == ("flat", "tall") and found.resolution == 16
    small = data.load(str(archive), "test", ("tall",), 8)
    np.testing.assert_array_equal(small.grids(0), grids.resample(boxes(8).grids(7), 8))


def test_modelnet_archives_are_told_apart(packed_archive, tmp_path):
    assert not split_archive.holds_splits(packed_archive)
    assert not split_archive.holds_splits(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"labels": np.full(8, 2)}, "label without a name"),
        ({"splits": np.array(["dev"] * 8)}, "a split that is none of train"),
        ({"ids": np.array(["a"] * 7)}, "do not fit together"),
        ({"packed": np.zeros((8, 500), np.uint8)}, "do not fit together"),
        ({"packed": np.zeros((8, 512), np.float32)}, "do not fit together"),
        ({"splits": np.array(["train"] * 8)}, "no shape of the split 'test'"),
    ],
)
def test_what_does_not_fit_is_refused(archive, changed, sentence):
    with np.load(archive) as content:
        np.savez(archive, **{**content, **changed})
    with pytest.raises(InputError, match=sentence):
        data.load(str(archive), "test", (), 16)


def test_small_grids_and_missing_arrays_are_named(archive):
    with pytest.raises(InputError, match=r"holds grids of 16\^3; give resolution 16"):
        data.load(str(archive), "test", (), 32)
    np.savez(archive, packed=np.zeros((1, 512), np.uint8))
    with pytest.raises(InputError, match="no array 'labels'; a prepared archive has packed"):
        data.load(str(archive), "test", (), 16)
