"""The builder on small packages made here, the formats that it reads, licences, and the limits of a file."""

import csv
import pathlib
import shutil
import tempfile
import time
import zlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras3dgan import data
from keras3dgan.datasets.open_shapes_voxels import (
    open_shapes_voxels_dataset_builder,
    packages,
    prepare,
    selection,
    voxelizing,
)
from keras3dgan.datasets.open_shapes_voxels.licences import may_be_carried
from keras3dgan.datasets.open_shapes_voxels.limited import LimitedCalls
from keras3dgan.datasets.open_shapes_voxels.readers import READERS
from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.voxelize import voxelize
from tests import dummy_packages


class OpenShapesVoxelsTest(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own checks of a builder."""

    DATASET_CLASS = open_shapes_voxels_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("32",)
    SPLITS = {"train": 6, "validation": 1, "test": 3}
    SKIP_CHECKSUMS = True

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        dummy_packages.make_packages(pathlib.Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("open")
    dummy_packages.make_packages(folder / "root")
    return folder, prepare.prepare(folder / "root", folder / "output")


@pytest.mark.parametrize("suffix", dummy_packages.WRITERS)
def test_every_format_comes_out_upright(suffix):
    mesh = dummy_packages.l_shape()
    content = dummy_packages.content(suffix, mesh)
    axes = dummy_packages.WRITERS[suffix][2]
    packed = voxelizing.voxelize_model(content, suffix, axes)
    grid = grids.unpack(np.frombuffer(zlib.decompress(packed), np.uint8), 128)
    np.testing.assert_array_equal(grid, voxelize(mesh, 128))
    for end in (len(content) // 3, len(content) - 40):
        with pytest.raises(InputError):
            READERS[suffix](content[:end], "it")
    with pytest.raises(InputError, match="it: is no "):
        READERS[suffix](b"?" * 200, "it")


def test_axes_of_packages_are_those_of_their_formats():
    files = {"0ad-data": ".pmd", "megaglest-data": ".g3d", "kicad-packages3d": ".wrl", "torcs-data": ".ac"}
    axes = {package.name: package.axes for package in packages.PACKAGES}
    for name, suffix in files.items():
        assert axes[name] == dummy_packages.WRITERS[suffix][2]


def test_copyright_speaks_of_the_paths_of_the_sources():
    torcs = next(package for package in packages.PACKAGES if package.name == "torcs-data")
    car = packages.Model(torcs, "cars/p406/p406.acc", pathlib.Path("p406.acc"))
    assert car.source == "data/cars/models/p406/p406.acc"
    assert (car.id, car.family) == ("torcs-data/cars/p406/p406", "torcs-data/cars/p406")


def test_what_is_prepared(prepared):
    folder, summary = prepared
    assert "10 shapes of 12 files" in summary and "looks like another 1" in summary
    sets = {split: data.load(str(folder / "output/open_32.npz"), split) for split in data.SPLITS}
    assert sum(map(len, sets.values())) == 10
    with open(folder / "output/ATTRIBUTION.tsv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}
    for split, shapes in sets.items():
        for name, label in zip(shapes.ids, shapes.labels, strict=True):
            assert (rows[name]["split"], rows[name]["kind"]) == (split, shapes.class_names[label])
    bear = rows["0ad-data/art/meshes/skeletal/bear"]
    assert (bear["kind"], bear["licence"], bear["copyright"]) == ("animal", "CC-BY-4.0", "C. C.")
    part = rows["kicad-packages3d/Buzzer.3dshapes/one"]
    assert (part["licence"], part["copyright"]) == ("GPL-2+", "2001, A. A. 2002, B. B.")
    assert may_be_carried("CC-BY-4.0") and not may_be_carried("CC-BY-SA-4.0") and not may_be_carried("GPL-2+")
    with np.load(folder / "output/open_64.npz") as content:
        assert content["may_be_carried"].sum() == 2
    left_out = {name: row["left out because"] for name, row in rows.items() if row["left out because"]}
    assert len(left_out) == 2 and any(reason.startswith("looks like kicad") for reason in left_out.values())
    large = data.load(str(folder / "output/open_128.npz"), "test", resolution=64)
    np.testing.assert_array_equal(large.packed, data.load(str(folder / "output/open_64.npz"), "test", (), 64).packed)


def test_it_goes_on_where_it_was(prepared, monkeypatch):
    folder, _ = prepared

    def unwanted(*_):
        raise AssertionError("voxelised again")

    monkeypatch.setattr(LimitedCalls, "_start", unwanted)
    with voxelizing.Voxelizer(folder / "output" / "voxelised") as voxelizer:
        found = selection.candidates(folder / "root")
        assert sum(not each.reason for each in selection.choose(found, voxelizer)) == 10
        assert sum(not each.reason for each in selection.choose(found, voxelizer, most=2)) == 4


def test_families_take_turns_whatever_their_split():
    package = packages.PACKAGES[0]
    models = [
        packages.Model(package, f"art/meshes/structural/{a}{b}_{c}.pmd", pathlib.Path())
        for a in "abcdefghij"
        for b in "abcdefghij"
        for c in range(2)
    ]
    order = list(selection.in_turn([selection.Chosen(model, "building", "", "", "") for model in models]))
    assert len({each.model.family for each in order[:100]}) == 100
    for first in (30, 100):
        share = sum(each.split == "test" for each in order[:first]) / first
        assert 0.1 < share < 0.35


def test_missing_packages_are_named(tmp_path):
    with pytest.raises(InputError, match="none of the packages; .*: 0ad-data"):
        packages.installed(tmp_path)


def test_no_file_takes_more_than_it_may():
    with LimitedCalls(eval, time.monotonic, seconds=0.3, memory=4 << 30) as calls:
        assert calls("1 + 1") == 2
        with pytest.raises(InputError, match="4 GiB of memory"):
            calls("bytearray(8 << 30)")
        with pytest.raises(InputError, match="more than 0.3 seconds"):
            calls("sum(range(10**12))")
        assert calls("2 + 2") == 4
