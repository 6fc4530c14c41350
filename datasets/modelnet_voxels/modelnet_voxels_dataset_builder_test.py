"""All forms of ModelNet, on small trees made here."""

import pathlib
import shutil
import tempfile

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds
import trimesh
from apache_beam.options.pipeline_options import PipelineOptions

from keras3dgan import data
from keras3dgan.datasets.modelnet_voxels import modelnet_voxels_dataset_builder
from keras3dgan.errors import InputError

_OBJECTS = {"train": 12, "test": 3}


def make_volumetric(folder: pathlib.Path) -> None:
    """`volumetric_data` with two classes, each object in 12 rotations, one file cut off."""
    for size, name in enumerate(("chair", "sofa"), start=4):
        for part, count in _OBJECTS.items():
            target = folder / "volumetric_data" / name / "30" / part
            target.mkdir(parents=True)
            for index in range(count):
                for turn in range(12):
                    volume = np.zeros((30, 30, 30), np.uint8)
                    volume[3 : 3 + size, 3 : 4 + index, 3 : 4 + turn] = 1
                    scipy.io.savemat(target / f"{name}_{index:04d}_{turn + 1}.mat", {"instance": volume})
    (folder / "volumetric_data" / "chair" / "30" / "train" / "chair_0001_3.mat").write_bytes(b"cut")


def make_off(folder: pathlib.Path) -> None:
    """`ModelNet10` with one class, headers as the official files have them."""
    for part, count in _OBJECTS.items():
        target = folder / "ModelNet10" / "table" / part
        target.mkdir(parents=True)
        for index in range(count):
            text = trimesh.creation.box((1, 1 + index, 2)).export(file_type="off")
            (target / f"table_{index:04d}.off").write_text(text.replace("OFF\n", "OFF"))


class ModelNetVolumetricTest(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own checks of a builder."""

    DATASET_CLASS = modelnet_voxels_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("volumetric10_32",)
    SPLITS = {"train": 251, "validation": 36, "test": 72}
    SKIP_CHECKSUMS = True

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        make_volumetric(pathlib.Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


def test_volumes_are_centred_and_rotations_stay_together(tmp_path):
    make_volumetric(tmp_path / "source")
    parts = {
        s: data.load("modelnet_voxels/volumetric10_32", s, (), 32, str(tmp_path), str(tmp_path / "source"))
        for s in data.SPLITS
    }
    row = parts["test"].ids.tolist().index("test/chair_0002_5")
    expected = np.zeros((32, 32, 32), np.uint8)
    expected[4:8, 4:7, 4:9] = 1
    np.testing.assert_array_equal(parts["test"].grids(row), expected)
    assert parts["test"].class_names[parts["test"].labels[row]] == "chair"
    objects = [{name.rsplit("_", 1)[0] for name in parts[split].ids} for split in ("train", "validation")]
    assert objects[1] and not objects[0] & objects[1]
    builder = tfds.builder("modelnet_voxels/volumetric10_32", data_dir=str(tmp_path))
    assert len(builder.info.metadata["skipped"]) == 1 and "chair_0001_3.mat" in builder.info.metadata["skipped"][0]


@pytest.mark.parametrize("resolution", [32, 64])
def test_official_meshes(tmp_path, resolution):
    make_off(tmp_path / "source")
    config = f"modelnet_voxels/off10_{resolution}"
    shapes = data.load(config, "test", ("table",), resolution, str(tmp_path), str(tmp_path / "source"))
    row = shapes.ids.tolist().index("test/table_0000")
    extent = [np.ptp(axis) + 1 for axis in np.nonzero(shapes.grids(row))]
    longest = resolution - resolution // 16
    # 15 voxels centred in 32 begin and end in the middle of a voxel, so they touch 16.
    assert len(shapes) == 3 and extent == [longest // 4 * 2 + 2 * (resolution == 32), extent[0], longest]


def test_what_is_missing_is_named(tmp_path):
    def load(config, source):
        return data.load(f"modelnet_voxels/{config}", "train", (), 32, str(tmp_path / "data"), str(source))

    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="volumetric_data: no such folder"):
        load("volumetric40_32", tmp_path / "empty")
    with pytest.raises(InputError, match="holds 0 .npz files"):
        load("packed10_32", tmp_path / "empty")
    with pytest.raises(InputError, match="manual_dir: .*none is no folder"):
        load("packed10_32", tmp_path / "none")
    make_off(tmp_path / "tree")
    (tmp_path / "tree" / "ModelNet10" / "spaceship").mkdir()
    with pytest.raises(InputError, match="'spaceship' is no class"):
        load("off10_32", tmp_path / "tree")


def test_too_many_bad_files_end_the_build(tmp_path):
    make_off(tmp_path / "tree")
    for path in list((tmp_path / "tree").rglob("*.off"))[::2]:
        path.write_text("OFF\n0 0 0\n")
    with pytest.raises(InputError, match="too many to go on; the first: .*off"):
        data.load("modelnet_voxels/off10_32", "train", (), 32, str(tmp_path / "data"), str(tmp_path / "tree"))
    assert not list((tmp_path / "data").rglob("dataset_info.json"))


def _prepare(folder, source, beam_options=None):
    builder = modelnet_voxels_dataset_builder.Builder(config="off10_32", data_dir=str(folder))
    config = tfds.download.DownloadConfig(manual_dir=source, beam_options=beam_options)
    builder.download_and_prepare(download_config=config)
    found = {s: {e["id"]: e["volume"] for e in tfds.as_numpy(builder.as_dataset(split=s))} for s in data.SPLITS}
    return found, builder.info.metadata["skipped"]


def test_beam_prepares_the_same_shapes(tmp_path):
    make_off(tmp_path / "tree")
    bad = tmp_path / "tree" / "ModelNet10" / "table" / "train" / "table_0001.off"
    bad.write_text("OFF\n0 0 0\n")
    here, skipped = _prepare(tmp_path / "here", tmp_path / "tree")
    beam, skipped_by_beam = _prepare(tmp_path / "beam", tmp_path / "tree", PipelineOptions(["--runner=DirectRunner"]))
    assert len(skipped) == 1 and "table_0001.off" in skipped[0] and list(skipped_by_beam) == list(skipped)
    assert {split: sorted(part) for split, part in here.items()} == {s: sorted(part) for s, part in beam.items()}
    for split, part in here.items():
        for name, volume in part.items():
            np.testing.assert_array_equal(beam[split][name], volume)
    assert not list((tmp_path / "beam").rglob("skipped-*"))


def test_too_many_bad_files_end_the_build_with_beam(tmp_path):
    make_off(tmp_path / "tree")
    for path in sorted((tmp_path / "tree").rglob("*.off"))[::2]:
        path.write_text("OFF\n0 0 0\n")
    with pytest.raises(InputError, match="too many to go on; the first: .*off"):
        _prepare(tmp_path / "data", tmp_path / "tree", PipelineOptions(["--runner=DirectRunner"]))
    assert not list((tmp_path / "data").rglob("dataset_info.json"))
