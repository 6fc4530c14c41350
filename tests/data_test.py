import itertools

import numpy as np
import pytest

from keras3dgan import data
from keras3dgan.errors import InputError
from keras3dgan.voxels.shape_set import read_packed_archive
from tests.conftest import boxes, corner_shape


def _take(dataset, count):
    return [batch.numpy() for batch in dataset.take(count)]


def test_every_epoch_shows_every_shape_once():
    shapes = boxes(12)
    pairs = data.training_batches(shapes, 4, seed=3, with_labels=True).take(6)
    seen = [np.packbits(grid.astype(bool)).tobytes() for voxels, _ in pairs for grid in voxels.numpy()]
    everything = sorted(row.tobytes() for row in shapes.packed)
    assert sorted(seen[:12]) == sorted(seen[12:]) == everything
    assert seen[:12] != seen[12:]


def test_labels_belong_to_their_voxels():
    shapes = boxes(12)
    for voxels, labels in data.training_batches(shapes, 5, seed=0, with_labels=True).take(4):
        heights = voxels.numpy().any(axis=(1, 2, 4)).sum(axis=1)
        np.testing.assert_array_equal(heights > 5, labels.numpy() == 1)


@pytest.mark.parametrize("augmentation", ["none", "flip", "rotate", "mirror,shift,stretch"])
def test_batches_are_a_function_of_the_step(augmentation):
    shapes = boxes(10)
    whole = _take(data.training_batches(shapes, 4, 7, augmentation=augmentation), 9)
    late = _take(data.training_batches(shapes, 4, 7, start_step=5, augmentation=augmentation), 4)
    for a, b in zip(whole[5:], late, strict=True):
        np.testing.assert_array_equal(a, b)
    other = _take(data.training_batches(shapes, 4, 8, augmentation=augmentation), 9)
    assert any(not np.array_equal(a, b) for a, b in zip(whole, other, strict=True))


def test_augmentation_mirrors_and_turns():
    shapes = boxes(1, 8).take(np.zeros(64, int))
    grid = corner_shape()
    shapes = type(shapes)(
        np.repeat(np.packbits(grid.astype(bool))[None], 64, 0), shapes.labels, shapes.ids, ("a", "b"), 8
    )
    flips = {b.tobytes() for b in next(iter(data.training_batches(shapes, 64, 0, augmentation="flip"))).numpy()[..., 0]}
    turns = {
        b.tobytes() for b in next(iter(data.training_batches(shapes, 64, 0, augmentation="rotate"))).numpy()[..., 0]
    }
    as_float = grid.astype(np.float32)
    assert flips == {as_float.tobytes(), as_float[::-1].tobytes()}
    assert turns == {np.rot90(as_float, k, (0, 1)).tobytes() for k in range(4)}


@pytest.mark.parametrize("augmentation", ["none", "flip", "rotate", "mirror,shift,stretch"])
def test_batches_are_the_same_without_tensorflow(augmentation, monkeypatch):
    shapes = boxes(10)

    def batches():
        training = data.training_batches(shapes, 4, 7, 3, augmentation, with_labels=True)
        evaluation = data.evaluation_batches(shapes, 4, with_labels=True)
        return [
            *itertools.islice(training, 6),
            *(evaluation[i] if data.tf is None else b for i, b in enumerate(evaluation)),
        ]

    with_tensorflow = batches()
    monkeypatch.setattr(data, "tf", None)
    without = batches()
    assert len(without) == len(with_tensorflow) == 9
    for ours, theirs in zip(without, with_tensorflow, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0].numpy())
        np.testing.assert_array_equal(ours[1], theirs[1].numpy())
        assert ours[0].dtype == np.float32


def test_evaluation_batches_are_everything_in_order():
    shapes = boxes(10)
    batches = _take(data.evaluation_batches(shapes, 4), 9)
    assert [len(b) for b in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(batches)[..., 0], shapes.grids())


def test_builder_and_file_give_the_same_shapes(packed_archive, tmp_path):
    for split in data.SPLITS:
        stored = data.load(
            "modelnet_voxels/packed10_32", split, data_dir=str(tmp_path), manual_dir=str(packed_archive.parent)
        )
        direct = read_packed_archive(packed_archive, split)
        order = np.argsort(stored.ids)
        np.testing.assert_array_equal(stored.packed[order], direct.packed)
        np.testing.assert_array_equal(stored.labels[order], direct.labels)


def test_a_file_elsewhere_is_found_by_its_name(packed_archive, tmp_path, monkeypatch):
    """A preset's data set is a file in some folder of whoever trained it."""
    named = f"{tmp_path}/not_here/{packed_archive.name}"
    found = data.load(named, "train", manual_dir=str(packed_archive.parent))
    np.testing.assert_array_equal(found.packed, read_packed_archive(packed_archive, "train").packed)
    # Not just because one of its name lies in the current folder.
    monkeypatch.chdir(packed_archive.parent)
    with pytest.raises(InputError, match="no such file"):
        data.load(named, "train")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("furniture_voxel", "train"), "is unknown"),
        (("furniture_voxels/33", "train"), "no config '33'"),
        (("furniture_voxels/64", "train"), "no grids of 32"),
        (("furniture_voxels", "all"), "no split"),
        (("modelnet_voxels", "train"), "manual_dir"),
        (("none.npz", "train"), "none.npz: no such file; .* manual_dir"),
    ],
)
def test_bad_requests_get_a_sentence(arguments, words, tmp_path):
    with pytest.raises(InputError, match=words):
        data.load(*arguments, data_dir=str(tmp_path))
