"""Bulk compression: files and data sets to archives, bad inputs listed, nothing done twice."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from types import MappingProxyType

import numpy as np
import pytest

from keras3dgan import recipes
from keras3dgan.codec import DEFAULT, Goal, load
from keras3dgan.codec.archive import Archive
from keras3dgan.commands import shards
from keras3dgan.errors import InputError
from keras3dgan.files import locked
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, command_environment, run_command

bulk = pytest.importorskip("keras3dgan.commands.bulk", reason="needs apache_beam", exc_type=ModuleNotFoundError)


@pytest.fixture
def folder(tmp_path):
    grids = boxes(7, 32).grids()
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for index, grid in enumerate(grids):
        np.save(tmp_path / "in" / ("deep" if index % 2 else "") / f"{index}.npy", grid)
    (tmp_path / "in" / "bad.stl").write_text("not a mesh")
    (tmp_path / "in" / "notes.txt").write_text("not read")
    return tmp_path / "in"


def test_a_folder_becomes_archives(trained, folder, tmp_path):
    words = ("bulk_compress", f"--model={trained}/compressor", f"--output={tmp_path}/out", "--shard_size=3", folder)
    done = run_command(*words, check=False)
    assert done.returncode == 1 and "1 inputs could not be read" in done.stderr and done.stderr.count("\n") == 1
    assert "7 shapes in 3 archives" in done.stdout
    archives = sorted((tmp_path / "out").glob("*.g3a"))
    assert [path.name for path in archives] == [f"shapes-0000{i}.g3a" for i in range(3)]
    names = [name for path in archives for name in Archive(path).names]
    assert names == ["0.npy", "2.npy", "4.npy", "6.npy", "deep/1.npy", "deep/3.npy", "deep/5.npy"]
    assert (tmp_path / "out" / "bad_inputs.tsv").read_text().startswith("bad.stl\t")
    codec = recipes.load_codec(str(trained / "compressor"))
    expected = codec.encode(np.load(folder / "deep" / "3.npy")[None])[0]
    out = run_command(
        "decompress", f"--model={trained}/compressor", "--format=npy", *archives, f"--output={tmp_path}/back"
    )
    assert "7 files" in out.stdout and (tmp_path / "back" / "deep" / "5.npy").exists()
    restored = np.load(tmp_path / "back" / "deep" / "3.npy")
    np.testing.assert_array_equal(restored, codec.decode([expected])[0] > 0.5)


class _Collection:
    """A folder that is compressed again and again, three inputs an archive, by the model of the package."""

    def __init__(self, folder, output):
        self.folder, self.output, self.codec = folder, output, load()

    def compress(self, size=3, reading=MappingProxyType({}), **goal):
        return bulk.run(bulk.files(self.folder), self.codec, DEFAULT, self.output, size, reading, Goal(**goal))

    def content(self):
        """Name -> grid, of all archives."""
        found = [Archive(path) for path in self.output.glob("*.g3a")]
        return {name: one.shape(name, self.codec) for one in found for name in one.names}

    def times(self):
        return {path.name: path.stat().st_mtime_ns for path in sorted(self.output.glob("*.g3a"))}

    def check(self):
        """What is in the archives is what is in the folder."""
        content = self.content()
        grids = {str(path.relative_to(self.folder)): np.load(path) for path in self.folder.rglob("*.npy")}
        assert content.keys() == grids.keys()
        for name, grid in grids.items():
            np.testing.assert_array_equal(content[name], grid, name)


def test_run_again_only_what_is_new_or_has_changed_is_done(folder, tmp_path):
    collection = _Collection(folder, tmp_path / "out")
    assert collection.compress().done_before == 0
    collection.check()
    first = collection.times()  # 0 2 4, 6 bad 1, 3 5
    assert collection.compress().done_before == 3 and collection.times() == first

    np.save(folder / "2.npy", np.load(folder / "deep" / "3.npy"))  # changed
    np.save(folder / "00.npy", np.load(folder / "deep" / "3.npy"))  # new: fills the last archive up
    done = collection.compress()
    assert (done.archives, done.done_before, done.shapes, done.bad) == (3, 1, 8, 1)
    collection.check()
    second = collection.times()
    assert [second[name] == first[name] for name in sorted(first)] == [False, True, False]

    for name in ("2.npy", "deep/1.npy", "deep/3.npy", "deep/5.npy", "00.npy", "bad.stl"):  # gone, an archive with them
        (folder / name).unlink()
    done = collection.compress()
    assert (done.archives, done.done_before, done.shapes, done.bad) == (2, 0, 3, 0)
    collection.check()
    assert (tmp_path / "out" / "bad_inputs.tsv").read_text() == "" and len(os.listdir(tmp_path / "out")) == 2 * 2 + 2

    archive = tmp_path / "out" / "shapes-00000.g3a"
    whole = archive.read_bytes()
    for damage in (archive.unlink, lambda: archive.write_bytes(whole[:-1])):  # as a kill leaves it, or a bad disk
        damage()
        assert collection.compress().done_before == 1 and archive.read_bytes() == whole


def test_a_folder_of_something_else_is_left_alone(folder, tmp_path):
    collection = _Collection(folder, tmp_path / "out")
    collection.compress()
    before = {path.name: path.read_bytes() for path in collection.output.iterdir()}
    for words in ({"bytes": 50}, {"reading": {"up": "y"}}):
        with pytest.raises(InputError, match=r"shapes-00000.g3a: was made with (goal|reading) .*choose another folder"):
            collection.compress(**words)
    shutil.copytree(folder, tmp_path / "other")
    with pytest.raises(InputError, match=r"was made with source .*/in, not .*/other"):
        _Collection(tmp_path / "other", collection.output).compress()
    with (
        locked(collection.output, "taken"),
        pytest.raises(InputError, match="another process compresses into this folder"),
    ):
        collection.compress()
    assert {path.name: path.read_bytes() for path in collection.output.iterdir()} == before
    for content in ("{}", "[]", '{"inputs": [[1]], "bad": []}', "\xff", None):
        manifest = collection.output / "shapes-00001.json"
        manifest.write_text(content) if content else manifest.unlink()
        with pytest.raises(InputError, match=r"shapes-00001.json: no manifest of the archive beside it"):
            collection.compress()


def test_names_in_no_encoding_are_listed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"\xff.stl")).write_text("not a mesh")
    for before in (0, 1):
        done = _Collection(tmp_path / "in", tmp_path / "out").compress()
        assert (done.bad, done.shapes, done.done_before) == (1, 0, before)
        assert (tmp_path / "out" / "bad_inputs.tsv").read_bytes().count(b"\xff.stl") >= 1


def test_a_gltf_changes_with_the_files_that_it_names(tmp_path):
    (tmp_path / "a.gltf").write_text(
        '{"buffers": [{"uri": "the%20points.bin"}, {"uri": "data:,x"}, {"uri": "none.bin"}]}'
    )
    (tmp_path / "b.gltf").write_text("")
    (tmp_path / "the points.bin").write_bytes(b"12")
    before = shards.files_of(tmp_path)
    (tmp_path / "the points.bin").write_bytes(b"123")
    after = shards.files_of(tmp_path)
    assert [each.name for each in after] == ["a.gltf", "b.gltf"]
    assert after[0].size == before[0].size + 1 and after[0].time > before[0].time and after[1] == before[1]


@pytest.mark.slow
def test_a_data_set_on_two_workers(trained, tmp_path, prepared_data):
    words = ("bulk_compress", f"--model={trained}/compressor", f"--output={tmp_path}/out", "--shard_size=100")
    words += ("--dataset=furniture_voxels/32", "--split=test", f"--data_dir={prepared_data}")
    out = run_command(*words, "--beam=--direct_num_workers=2 --direct_running_mode=multi_processing").stdout
    assert "162 shapes in 2 archives" in out
    assert sum(len(Archive(path)) for path in (tmp_path / "out").glob("*.g3a")) == 162
    assert (tmp_path / "out" / "bad_inputs.tsv").read_text() == ""


@pytest.mark.slow
def test_a_killed_worker_ends_the_command_in_a_sentence(folder, tmp_path):
    """Beam would wait for it for ever. SIGINT is ignored, as in what a script starts in the background."""
    for copy in range(30):
        shutil.copytree(folder / "deep", folder / f"{copy}")
    words = ["bulk_compress", f"--output={tmp_path}/out", "--shard_size=2", str(folder)]
    words += ["--beam=--direct_num_workers=2 --direct_running_mode=multi_processing"]
    command = [sys.executable, "-m", "keras3dgan", *words]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(command, env=command_environment(), stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with _ended(process):
        deadline = time.monotonic() + 300
        while not [*(tmp_path / "out").glob("*.json")]:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        [*_, worker] = [pid for pid in _descendants(process.pid) if b"sdk_worker_main" in _command(pid)]
        os.kill(worker, signal.SIGKILL)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 1 and error.endswith("with fewer workers if memory was short.\n"), error


@contextlib.contextmanager
def _ended(process):
    """Kills what is left of a command, so that nothing waits for it where a test fails."""
    try:
        yield
    finally:
        for pid in [*_descendants(process.pid), process.pid] if process.poll() is None else ():
            os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def _descendants(pid):
    listed = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(word) for path in listed for word in path.read_text().split()]
    return [*children, *(below for child in children for below in _descendants(child))]


def _command(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()


def test_bad_requests_get_a_sentence(trained, tmp_path):
    done = run_command("bulk_compress", f"--model={trained}/gan", f"--output={tmp_path}/out", tmp_path, check=False)
    assert done.returncode == 1 and "of kind 'gan'" in done.stderr and done.stderr.count("\n") == 1
    with pytest.raises(InputError, match="holds no file"):
        bulk.files(tmp_path)
    for dataset, split, words in (
        ("furniture_voxels/64", "train", "no grids of 32"),
        ("furniture_voxels/32", "all", "no split"),
        ("chairs", "train", "is unknown"),
    ):
        with pytest.raises(InputError, match=words):
            bulk.examples(dataset, split, 32, 10, str(tmp_path / "tfds"))
    assert not (tmp_path / "out").exists()


def test_the_model_of_the_package_and_a_goal(folder, tmp_path):
    done = run_command("bulk_compress", f"--output={tmp_path}/out", "--min_iou=0.8", folder, check=False)
    assert done.returncode == 1 and "7 shapes in 1 archives" in done.stdout, done.stderr
    [path] = (tmp_path / "out").glob("*.g3a")
    found, used = Archive(path), load()
    for name in found.names:
        assert iou(np.load(folder / name)[None], found.shape(name, used)[None])[0] >= 0.8
    again = run_command(
        "bulk_compress", f"--output={tmp_path}/out", "--min_iou=0.8", "--read_seconds=60", folder, check=False
    )
    assert "1 of 1 archives were there already" in again.stdout, again.stderr
    # A goal that one shape cannot reach costs that shape, not the collection.
    done = run_command("bulk_compress", f"--output={tmp_path}/few", "--bytes=1", folder, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "--bytes: 1 are too few" in (tmp_path / "few" / "bad_inputs.tsv").read_text()
