"""Compressing with the model that comes with the package, as a person does right after installing it."""

import re
import subprocess
import sys

import numpy as np
import pytest
import trimesh

from keras3dgan import codec
from keras3dgan.codec.archive import Archive
from keras3dgan.codec.container import OVERHEAD
from keras3dgan.codec.goals import Goal
from keras3dgan.errors import InputError
from keras3dgan.voxels import io
from keras3dgan.voxels.grid import iou
from keras3dgan.voxels.mesh import Y_UP_TO_Z_UP
from tests.conftest import boxes, command_environment, run_command


def _chair() -> np.ndarray:
    """Seat, back and four legs, by hand."""
    grid = np.zeros((32, 32, 32), np.uint8)
    grid[8:24, 8:24, 12:14] = 1
    grid[8:24, 22:24, 14:28] = 1
    for x in (8, 22):
        for y in (8, 22):
            grid[x : x + 2, y : y + 2, 2:12] = 1
    return grid


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a chair, a box, and a file that is no shape."""
    path = tmp_path_factory.mktemp("models")
    (path / "deep").mkdir()
    io.write_shape(path / "chair.obj", _chair())
    np.save(path / "deep" / "box.npy", boxes(1, 32).grids()[0])
    return path


def test_a_chair_takes_a_few_dozen_bytes_and_comes_back_exactly(folder, tmp_path):
    out = run_command("compress", folder / "chair.obj", f"--output={tmp_path}/chair.g3c").stdout
    size = (tmp_path / "chair.g3c").stat().st_size
    assert size < 50 and f"{size}.0 bytes a shape" in out and "every voxel exact" in out
    run_command("decompress", tmp_path / "chair.g3c", f"--output={tmp_path}/again.npy")
    original = io.read_shape(folder / "chair.obj", 32)
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), original)


def _lamp() -> trimesh.Trimesh:
    """A foot, a pole and a shade to one side, 1.7 units tall, with y up."""
    parts = [
        trimesh.creation.box((0.6, 0.6, 0.1), trimesh.transformations.translation_matrix((0, 0, 0.05))),
        trimesh.creation.box((0.1, 0.1, 1.5), trimesh.transformations.translation_matrix((0, 0, 0.8))),
        trimesh.creation.box((0.7, 0.4, 0.2), trimesh.transformations.translation_matrix((0.2, 0, 1.6))),
    ]
    return trimesh.util.concatenate(parts).apply_transform(Y_UP_TO_Z_UP.T)


@pytest.mark.parametrize("kind", ["file", "archive"])
def test_a_mesh_comes_back_upright_and_where_it_lay_in_every_format(tmp_path, kind):
    lamp = _lamp().apply_translation((3, 7, -2))
    lamp.export(tmp_path / "lamp.obj")
    packed = tmp_path / ("lamp.g3c" if kind == "file" else "all.g3a")
    out = run_command("compress", tmp_path / "lamp.obj", f"--output={packed}").stdout
    place = 5 if kind == "file" else 0
    assert re.search(r", \d\.\d of them position and scale; every voxel exact", out), out
    bare = tmp_path / ("bare" + packed.suffix)
    run_command("compress", tmp_path / "lamp.obj", f"--output={bare}", "--nokeep_placement")
    assert place <= packed.stat().st_size - bare.stat().st_size <= 9
    for form in ("obj", "stl", "ply", "glb", "binvox", "npy"):
        again = tmp_path / f"{form}" / f"lamp.{form}"
        run_command("decompress", packed, f"--output={again if kind == 'file' else again.parent}", f"--format={form}")
        if form in ("binvox", "npy"):
            np.testing.assert_array_equal(io.read_grid(again), io.read_shape(tmp_path / "lamp.obj", 32))
            continue
        mesh = trimesh.load_mesh(again)
        if form == "glb":  # its y is up: what was taken for up, z, points along it
            mesh.apply_transform(Y_UP_TO_Z_UP)
        assert np.abs(mesh.bounds - lamp.bounds).max() < 1.7 / 30
    # Lying on its side it takes the bytes that it takes upright, and comes back on its side.
    run_command("compress", "--up=y", "--nokeep_placement", tmp_path / "lamp.obj", f"--output={tmp_path}/up.g3c")
    assert (
        abs((tmp_path / "up.g3c").stat().st_size - len(codec.load().encode(io.read_shape(tmp_path / "lamp.obj", 32))))
        <= 1
    )


def test_shapenet_files_stand_as_they_stood(tmp_path):
    path = tmp_path / "03001627" / "abc" / "model.obj"
    path.parent.mkdir(parents=True)
    _lamp().export(path)
    run_command("compress", path, f"--output={tmp_path}/a.g3c")
    run_command("decompress", tmp_path / "a.g3c", f"--output={tmp_path}/a.stl")
    run_command("decompress", tmp_path / "a.g3c", f"--output={tmp_path}/a.glb")
    for name in ("a.stl", "a.glb"):  # known to have y up, as a .glb has
        assert np.abs(trimesh.load_mesh(tmp_path / name).bounds - _lamp().bounds).max() < 1.7 / 30


def test_it_needs_neither_tensorflow_nor_keras(folder, tmp_path):
    """After a plain `pip install .`: none of what the extras bring can be imported."""
    hidden = ("tensorflow", "keras", "jax", "tensorflow_datasets", "sklearn", "matplotlib", "grpc", "requests", "PIL")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden!r})); from keras3dgan.commands.main import main; main()"
    )
    for words in (
        ["compress", f"{folder}/chair.obj", f"--output={tmp_path}/chair.g3c"],
        ["decompress", f"{tmp_path}/chair.g3c"],
    ):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=command_environment())
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "chair.glb").exists()


def test_rates(folder, tmp_path):
    def compress(*flags):
        out = run_command("compress", folder / "chair.obj", f"--output={tmp_path}/a.g3c", *flags).stdout
        reached = re.search(r"IoU (\d\.\d+)", out)
        run_command("decompress", tmp_path / "a.g3c", f"--output={tmp_path}/a.npy")
        score = iou(io.read_shape(folder / "chair.obj", 32)[None], np.load(tmp_path / "a.npy")[None])[0]
        assert score == pytest.approx(float(reached[1]) if reached else 1.0, abs=6e-4), out
        return (tmp_path / "a.g3c").stat().st_size, score

    exact, _ = compress("--lossless")
    small, rough = compress(f"--bytes={exact - 3}")
    assert small <= exact - 3 and rough < 1
    good, better = compress("--min_iou=0.9")
    assert better >= 0.9 and good <= exact
    assert compress(f"--mean_bytes={exact}")[0] <= exact
    for flags, words in (
        (["--bytes=8"], "--bytes: 8 are too few"),
        (["--bytes=20", "--min_iou=0.9"], "give one of"),
        (["--bytes=20", "--lossless"], "give one of"),
        (["--min_iou=2"], "--min_iou: must be"),
        (["--model=nobody"], "octree32"),
    ):
        failed = run_command("compress", folder / "chair.obj", f"--output={tmp_path}/b.g3c", *flags, check=False)
        assert failed.returncode == 1 and words in failed.stderr and failed.stderr.count("\n") == 1, failed.stderr
        assert not (tmp_path / "b.g3c").exists()


def test_a_folder_becomes_one_archive(folder, tmp_path):
    out = run_command("compress", folder, f"--output={tmp_path}/all.g3a").stdout
    found = Archive(tmp_path / "all.g3a")
    assert sorted(found.names) == ["chair", "deep/box"] and "2 shapes" in out and "every voxel exact" in out
    loaded = codec.load()
    np.testing.assert_array_equal(found.shape("deep/box", loaded), np.load(folder / "deep" / "box.npy"))
    run_command("decompress", tmp_path / "all.g3a", "--format=npy")
    np.testing.assert_array_equal(np.load(tmp_path / "all" / "deep" / "box.npy"), np.load(folder / "deep" / "box.npy"))


def test_an_archive_says_what_of_it_the_goal_counts(folder, tmp_path):
    out = run_command("compress", folder, f"--output={tmp_path}/all.g3a", "--bytes=14").stdout
    whole, alone = (float(value) for value in re.search(r"([\d.]+) bytes a shape \(([\d.]+) without", out).groups())
    assert alone <= 14 < whole == pytest.approx((tmp_path / "all.g3a").stat().st_size / 2, abs=0.051), out


def test_an_archive_goes_past_bad_files_and_is_not_made_of_none(folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.stl").write_text("not a mesh")
    failed = run_command("compress", tmp_path / "in", f"--output={tmp_path}/all.g3a", check=False)
    assert failed.returncode == 1 and "bad.stl" in failed.stderr and not (tmp_path / "all.g3a").exists()
    np.save(tmp_path / "in" / "box.npy", boxes(1, 32).grids()[0])
    failed = run_command("compress", tmp_path / "in", f"--output={tmp_path}/all.g3a", check=False)
    assert failed.returncode == 1 and "1 of 2 failed" in failed.stderr
    assert Archive(tmp_path / "all.g3a").names == ["box"]


def test_python_takes_one_shape_or_many():
    loaded = codec.load(codec.DEFAULT, Goal(bytes=20))
    streams = loaded.encode(np.stack([_chair(), boxes(1, 32).grids()[0]]))
    assert max(map(len, streams)) <= 20 and loaded.decode(streams).shape == (2, 32, 32, 32)
    assert len(codec.load().encode(_chair())) > OVERHEAD
    with pytest.raises(InputError, match="octree32"):
        codec.load("no-such-model")


@pytest.mark.parametrize(("model", "size", "most"), [("octree64_open", 64, 300), ("octree128", 128, 2000)])
def test_a_larger_grid_by_the_model_for_it(model, size, most, folder, tmp_path):
    """At 64^3 thin parts are there that 32^3 has lost; a file says which model wrote it."""
    run_command("compress", f"--model={model}", folder / "chair.obj", f"--output={tmp_path}/a.g3c")
    failed = run_command("decompress", "--model=octree32", tmp_path / "a.g3c", check=False)
    assert failed.returncode == 1 and f"give model {model}" in failed.stderr and failed.stderr.count("\n") == 1
    run_command("decompress", tmp_path / "a.g3c", f"--output={tmp_path}/a.npy")
    restored = np.load(tmp_path / "a.npy")
    np.testing.assert_array_equal(restored, io.read_shape(folder / "chair.obj", size))
    assert restored.shape == (size,) * 3 and (tmp_path / "a.g3c").stat().st_size < most


@pytest.mark.parametrize("size", [64, 128])
def test_a_finer_grid_finds_its_model_and_is_told_when_it_is_reduced(size, tmp_path):
    grid = np.zeros((size,) * 3, np.uint8)
    grid[10:50, 20:22, 5:60] = 1
    np.save(tmp_path / "a.npy", grid)
    out = run_command("compress", tmp_path / "a.npy").stdout
    assert f"of its {size}^3 bits" not in out and f"{size}^3 bits; every voxel exact\n" in out
    run_command("decompress", tmp_path / "a.g3c", f"--output={tmp_path}/b.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), grid)
    out = run_command("compress", "--model=octree32", tmp_path / "a.npy").stdout
    assert f"every voxel exact of 32^3, to which its {size}^3 voxels were reduced" in out
