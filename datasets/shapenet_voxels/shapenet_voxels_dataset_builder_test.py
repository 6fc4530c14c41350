"""Both trees of ShapeNet, on small ones made here."""

import pathlib
import shutil
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
import trimesh

from keras3dgan import data
from keras3dgan.datasets.shapenet_voxels import shapenet_voxels_dataset_builder
from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.binvox import Binvox, write_binvox

_MODELS = 20


def l_shape(size: int) -> np.ndarray:
    """An asymmetric grid, y up: a foot along x, a post along y."""
    grid = np.zeros((size,) * 3, np.uint8)
    grid[2:-2, 1:4, 3:5] = 1
    grid[2:5, 1:-2, 3:5] = 1
    return grid


def make_tree(folder: pathlib.Path) -> None:
    """ShapeNetCore with two synsets: solid (64^3), surface (128^3) and mesh; and ShapeNetVox32 beside it."""
    mesh = trimesh.creation.box((1, 3, 2)).export(file_type="obj")
    for synset in ("03001627", "04379243"):
        for index in range(_MODELS):
            core = folder / "ShapeNetCore" / synset / f"model{index:02d}" / "models"
            write_binvox(core / "model_normalized.solid.binvox", Binvox(l_shape(64)))
            write_binvox(core / "model_normalized.surface.binvox", Binvox(l_shape(128)))
            (core / "model_normalized.obj").write_text(mesh)
            write_binvox(folder / "ShapeNetVox32" / synset / f"model{index:02d}" / "model.binvox", Binvox(l_shape(32)))
    (folder / "ShapeNetVox32" / "03001627" / "model03" / "model.binvox").write_bytes(
        b"#binvox 1\ndim 32 32 32\ndata\n\0\1"
    )


class ShapeNetR2N2Test(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own checks of a builder."""

    DATASET_CLASS = shapenet_voxels_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("r2n2_32",)
    SPLITS = {"train": 24, "validation": 2, "test": 13}
    # The same shape under many names.
    OVERLAPPING_SPLITS = ["train", "validation", "test"]
    SKIP_CHECKSUMS = True

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        make_tree(pathlib.Path(cls.EXAMPLE_DIR))
        shutil.rmtree(pathlib.Path(cls.EXAMPLE_DIR) / "ShapeNetCore")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapenet")
    make_tree(folder)
    return folder


@pytest.mark.parametrize(("config", "size"), [("solid_32", 64), ("solid_64", 64), ("surface_32", 128), ("r2n2_32", 32)])
def test_grids_are_z_up_and_resampled(tree, tmp_path, config, size):
    resolution = int(config[-2:])
    source = tree / ("ShapeNetVox32" if config.startswith("r2n2") else "ShapeNetCore")
    shapes = data.load(f"shapenet_voxels/{config}", "train", ("table", "chair"), resolution, str(tmp_path), str(source))
    expected = grids.resample(grids.y_up_to_z_up(l_shape(size)), resolution)
    assert set(shapes.labels) == {0, 1}
    for grid in shapes.grids(slice(0, 3)):
        np.testing.assert_array_equal(grid, expected)
    # The post stands on the floor along z.
    assert expected[:, :, 1:-2].any(axis=(0, 1)).sum() > 20


def test_meshes_stand_upright(tree, tmp_path):
    shapes = data.load("shapenet_voxels/mesh_32", "test", (), 32, str(tmp_path), str(tree / "ShapeNetCore"))
    assert [np.ptp(axis) + 1 for axis in np.nonzero(shapes.grids(0))] == [10, 20, 30]


def test_bad_trees_get_a_sentence(tree, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="no synset folder"):
        data.load("shapenet_voxels", "train", data_dir=str(tmp_path / "d"), manual_dir=str(tmp_path / "empty"))
    (tmp_path / "odd" / "03001627").mkdir(parents=True)
    (tmp_path / "odd" / "99999999").mkdir()
    with pytest.raises(InputError, match="'99999999' is no synset"):
        data.load("shapenet_voxels", "train", data_dir=str(tmp_path / "d"), manual_dir=str(tmp_path / "odd"))


def test_the_table_of_synsets():
    synsets = shapenet_voxels_dataset_builder.read_synsets()
    assert len(synsets) == len(set(synsets.values())) == 55
    assert synsets["03001627"] == "chair" and all(len(key) == 8 and key.isdigit() for key in synsets)
