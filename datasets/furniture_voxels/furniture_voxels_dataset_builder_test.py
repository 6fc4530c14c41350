"""The embedded data set: complete, licensed, and the same through every door."""

import csv
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
import trimesh

from keras3dgan import data
from keras3dgan.datasets import without_tensorflow
from keras3dgan.datasets.furniture_voxels import build_archive, bundled, furniture_voxels_dataset_builder
from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from tests.conftest import command_environment


class FurnitureVoxelsTest(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own checks of a builder."""

    DATASET_CLASS = furniture_voxels_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("32",)
    SPLITS = {"train": 569, "validation": 89, "test": 162}
    EXAMPLE_DIR = str(bundled.ARCHIVE.parent)
    SKIP_CHECKSUMS = True


def test_archive_and_attribution_agree():
    with np.load(bundled.ARCHIVE) as content:
        ids, names = content["ids"].tolist(), content["class_names"].tolist()
        labels, volumes = content["labels"], grids.unpack(content["packed"], 64)
    with open(build_archive.FOLDER / "ATTRIBUTION.tsv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert len(ids) == len(set(ids)) >= 0.95 * len(rows) and 8 <= len(names) <= 12
    for index, name in enumerate(ids):
        row = rows[name]
        assert row["licence"].startswith("CC") and row["creator"] and row["class"] == names[labels[index]]
    assert volumes.any(axis=(1, 2, 3)).all()
    # Centred, two empty voxels on each side, the longest side filling what is left.
    assert not volumes[:, :2].any() and not volumes[:, 62:].any() and not volumes[..., :2].any()
    longest = [max(np.ptp(axis) + 1 for axis in np.nonzero(volume)) for volume in volumes[:50]]
    assert set(longest) <= {59, 60}
    assert bundled.ARCHIVE.stat().st_size <= 3_000_000


def test_both_resolutions_and_tfds_load(prepared_data):
    small = data.load("furniture_voxels", "test", data_dir=str(prepared_data))
    large = data.load("furniture_voxels", "test", resolution=64, data_dir=str(prepared_data))
    rows = {name: row for row, name in enumerate(large.ids)}
    for row in range(0, len(small), 20):
        pooled = grids.resample(large.grids(rows[small.ids[row]]), 32)
        np.testing.assert_array_equal(small.grids(row), pooled)
    loaded = tfds.load("furniture_voxels/32", split="test", data_dir=str(prepared_data))
    for example in loaded.take(3).as_numpy_iterator():
        row = small.ids.tolist().index(example["id"].decode())
        np.testing.assert_array_equal(example["volume"], small.grids(row))
        assert example["label"] == small.labels[row] and example["split"] == b"test"


def test_no_shape_stands_in_two_splits(prepared_data):
    parts = [data.load("furniture_voxels", split, data_dir=str(prepared_data)) for split in data.SPLITS]
    seen = [{row.tobytes() for row in part.packed} for part in parts]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


@pytest.mark.parametrize("split", data.SPLITS)
def test_the_same_shapes_are_read_without_tensorflow(split, prepared_data):
    stored = data.load("furniture_voxels", split, data_dir=str(prepared_data))
    direct = without_tensorflow.load_shapes("furniture_voxels", split)
    for name in ("packed", "labels", "ids"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(direct, name))
    assert stored.class_names == direct.class_names and stored.resolution == direct.resolution


def test_tfds_build(tmp_path):
    command = [
        sys.executable,
        "-m",
        "tensorflow_datasets.scripts.cli.main",
        "build",
        "--config=32",
        f"--data_dir={tmp_path}",
    ]
    result = subprocess.run(
        command, cwd=build_archive.FOLDER, capture_output=True, text=True, env=command_environment(), check=False
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "furniture_voxels" / "32" / "1.0.0" / "dataset_info.json").exists()


def test_a_catalogue_is_read_as_sweet_home_shows_it(tmp_path):
    """A box of 1 x 1 x 1 whose catalogue entry says 100 wide, 50 deep, 200 high, in a file with y up."""
    text = (
        "id#1=Scopia#box\nname#1=Bo\\u00eete chair\ncategory#1=Living room\nmodel#1=/m/box.obj\n"
        "width#1=100\ndepth#1=50\nheight#1=200\ncreator#1=N. N.\n"
        "id#2=Scopia#gone\nname#2=Lamp\ncategory#2=Lights\nmodel#2=/m/gone.obj\nwidth#2=1\ndepth#2=1\nheight#2=1\ncreator#2=N\n"
    )
    with zipfile.ZipFile(tmp_path / "Scopia.sh3f", "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", text.encode("latin-1"))
        archive.writestr("m/box.obj", trimesh.creation.box().export(file_type="obj"))
    with zipfile.ZipFile(tmp_path / "Scopia.sh3f") as archive:
        box, gone = build_archive.catalogue.read(archive, "Scopia")
        grid = build_archive.voxelize_entry(archive, box, tmp_path)
        with pytest.raises(InputError, match="not in the catalogue"):
            build_archive.voxelize_entry(archive, gone, tmp_path)
    assert [np.ptp(axis) + 1 for axis in np.nonzero(grid)] == [30, 16, 60]
    rules = build_archive.read_rules()
    assert box.values["name"] == "Boîte chair" and build_archive.classify(box, rules) == "chair"
    assert build_archive.classify(gone, rules) == "lamp"
    with pytest.raises(InputError, match=r"BlendSwap-CC-0\.sh3f: missing"):
        build_archive.build(tmp_path)
