"""Bulk compression: files and data sets to archives, bad inputs listed, nothing done twice."""

import os

import numpy as np
import pytest

from keras3dgan import recipes
from keras3dgan.codec import load
from keras3dgan.codec.archive import Archive
from keras3dgan.errors import InputError
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, run_command

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
    assert [path.name for path in archives] == [f"shapes-0000{i}-of-00003.g3a" for i in range(3)]
    names = [name for path in archives for name in Archive(path).names]
    assert names == ["0.npy", "2.npy", "4.npy", "6.npy", "deep/1.npy", "deep/3.npy", "deep/5.npy"]
    assert (tmp_path / "out" / "bad_inputs.tsv").read_text().startswith("bad.stl\t")
    codec = recipes.load_codec(str(trained / "compressor"))
    expected = codec.encode(np.load(folder / "deep" / "3.npy")[None])[0]

    # Again: what is there stays, what is missing is made.
    archives[1].unlink()
    before = [path.stat().st_mtime_ns for path in (archives[0], archives[2])]
    done = run_command(*words, check=False)
    assert "2 of 3 archives were there already" in done.stdout and "7 shapes" in done.stdout
    assert "1 inputs could not be read" in done.stderr
    assert before == [path.stat().st_mtime_ns for path in (archives[0], archives[2])] and archives[1].exists()

    out = run_command(
        "decompress", f"--model={trained}/compressor", "--format=npy", *archives, f"--output={tmp_path}/back"
    )
    assert "7 files" in out.stdout and (tmp_path / "back" / "deep" / "5.npy").exists()
    restored = np.load(tmp_path / "back" / "deep" / "3.npy")
    np.testing.assert_array_equal(restored, codec.decode([expected])[0] > 0.5)

    with pytest.raises(InputError, match="another model"):
        bulk.check_done(
            _shards(folder, tmp_path, 3), tmp_path / "out", recipes.load_codec(str(trained / "autoencoder")).fingerprint
        )
    with pytest.raises(InputError, match="another size"):
        bulk.check_done(_shards(folder, tmp_path, 4), tmp_path / "out", codec.fingerprint)
    bulk.check_done(_shards(folder, tmp_path, 3), tmp_path / "out", codec.fingerprint)
    os.rename(folder / "0.npy", folder / "00.npy")
    with pytest.raises(InputError, match="holds other shapes"):
        bulk.check_done(_shards(folder, tmp_path, 3), tmp_path / "out", codec.fingerprint)


def _shards(folder, tmp_path, size):
    return bulk.shards_of_files(folder, tmp_path / "out", size)


def test_a_data_set_on_two_workers(trained, tmp_path, prepared_data):
    words = ("bulk_compress", f"--model={trained}/compressor", f"--output={tmp_path}/out", "--shard_size=100")
    words += ("--dataset=furniture_voxels/32", "--split=test", f"--data_dir={prepared_data}")
    out = run_command(*words, "--beam=--direct_num_workers=2 --direct_running_mode=multi_processing").stdout
    assert "162 shapes in 2 archives" in out
    assert sum(len(Archive(path)) for path in (tmp_path / "out").glob("*.g3a")) == 162
    assert (tmp_path / "out" / "bad_inputs.tsv").read_text() == ""


def test_bad_requests_get_a_sentence(trained, tmp_path):
    done = run_command("bulk_compress", f"--model={trained}/gan", f"--output={tmp_path}/out", tmp_path, check=False)
    assert done.returncode == 1 and "of kind 'gan'" in done.stderr and done.stderr.count("\n") == 1
    with pytest.raises(InputError, match="holds no file"):
        bulk.shards_of_files(tmp_path, tmp_path / "out", 10)
    for dataset, split, words in (
        ("furniture_voxels/64", "train", "no grids of 32"),
        ("furniture_voxels/32", "all", "no split"),
        ("chairs", "train", "is unknown"),
    ):
        with pytest.raises(InputError, match=words):
            bulk.shards_of_dataset(dataset, split, 32, tmp_path / "out", 10, str(tmp_path / "tfds"))
    assert not (tmp_path / "out").exists()


def test_the_model_of_the_package_and_a_goal(folder, tmp_path):
    done = run_command("bulk_compress", f"--output={tmp_path}/out", "--min_iou=0.8", folder, check=False)
    assert done.returncode == 1 and "7 shapes in 1 archives" in done.stdout, done.stderr
    [path] = (tmp_path / "out").glob("*.g3a")
    found, used = Archive(path), load()
    for name in found.names:
        assert iou(np.load(folder / name)[None], found.shape(name, used)[None])[0] >= 0.8
    # A goal that one shape cannot reach costs that shape, not the collection.
    done = run_command("bulk_compress", f"--output={tmp_path}/few", "--bytes=1", folder, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "--bytes: 1 are too few" in (tmp_path / "few" / "bad_inputs.tsv").read_text()
