import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels.shape_set import is_validation, own_split, read_packed_archive
from tests.conftest import boxes


def test_splits_of_the_packed_form_are_disjoint_and_complete(packed_archive):
    parts = {split: read_packed_archive(packed_archive, split) for split in ("train", "validation", "test")}
    ids = [name for part in parts.values() for name in part.ids]
    # 80 + 12 grids, one empty in each part.
    assert len(ids) == len(set(ids)) == 90
    assert len(parts["test"]) == 11 and 1 <= len(parts["validation"]) <= 20
    assert parts["train"].grids().shape[1:] == (32, 32, 32)
    assert not parts["train"].grids()[:, 0].any()


def test_hash_splits_never_change():
    names = [f"train/{index:05d}" for index in range(1000)]
    assert [name for name in names if is_validation(name)][:3] == ["train/00007", "train/00008", "train/00012"]
    shares = [sum(own_split(name) == split for name in names) / 1000 for split in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.04)


def test_with_classes_counts_labels_anew():
    shapes = boxes(10)
    tall = shapes.with_classes(["tall"])
    assert len(tall) == 5 and set(tall.labels) == {0} and tall.class_names == ("tall",)
    swapped = shapes.with_classes(["tall", "flat"])
    np.testing.assert_array_equal(swapped.labels, 1 - shapes.labels)
    for names, words in ((["round"], "no class here"), (["tall", "tall"], "twice")):
        with pytest.raises(InputError, match=words):
            shapes.with_classes(names)


def test_bad_archives_get_a_sentence(tmp_path):
    np.savez(tmp_path / "a.npz", X_train=np.zeros((4, 8, 8, 9)), y_train=np.zeros(4, int))
    np.savez(tmp_path / "b.npz", X_train=np.zeros((4, 8, 8, 8)), y_train=np.full(4, 10))
    np.savez(tmp_path / "c.npz", other=np.zeros(4))
    np.savez(tmp_path / "d.npz", X_train=np.zeros((4, 8, 8, 8)), y_train=np.zeros(3, int))
    cases = {
        "a.npz": "no cubic grids",
        "b.npz": "from 0 to 9",
        "c.npz": "no array 'X_train'",
        "d.npz": "no cubic grids",
    }
    for name, words in {**cases, "none.npz": "no such file"}.items():
        with pytest.raises(InputError, match=words) as error:
            read_packed_archive(tmp_path / name, "train")
        assert name in str(error.value)


def test_occupied_is_the_mean_of_the_grids():
    shapes = boxes(7, 12)
    assert shapes.occupied() == pytest.approx(shapes.grids().mean())
