"""Training of the octree model: it learns, it resumes exactly, and its integers do what its floats do."""

import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from keras3dgan import codec, recipes
from keras3dgan.codec.octree import features, levels
from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.errors import InputError
from keras3dgan.models.octree_predictor import from_integers, to_integers
from keras3dgan.recipes import octree
from keras3dgan.runs import Run
from keras3dgan.training.prototypes import fit_codebook
from keras3dgan.training.voxel_samples import VoxelSamples, _nearest_others, stretched
from keras3dgan.voxels import split_archive
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, command_environment, run_command


def _words(packed_archive, workdir):
    return ("train_octree", "--preset=test", f"--workdir={workdir}", f"--dataset={packed_archive}")


@pytest.fixture(scope="module")
def trained_octree(packed_archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("octree") / "run"
    out = run_command(*_words(packed_archive, folder)).stdout
    assert "bytes a validation shape, every voxel exact" in out
    return folder


def test_a_trained_run_compresses(trained_octree):
    loaded = recipes.load_codec(trained_octree)
    grids = boxes(6, 32, seed=8).grids()
    streams = loaded.encode(grids)
    np.testing.assert_array_equal(loaded.decode(streams), grids)
    assert np.mean([len(stream) for stream in streams]) < 200  # a grid's bits take 4096
    assert codec.load(trained_octree / "models" / "octree.npz").fingerprint == loaded.fingerprint
    # It knows what its prototypes are, flat boxes or tall ones.
    names = loaded.octree.codebook.classes.names
    flat, tall = (loaded.sample(8, classes=[name]).any(axis=(1, 2)).sum(axis=1).mean() for name in names)
    assert names == ("bathtub", "chair") and flat < tall


def test_killed_and_started_again_it_ends_with_the_same_model(trained_octree, packed_archive, tmp_path):
    name, *flags = _words(packed_archive, tmp_path / "run")
    command = [sys.executable, "-m", "keras3dgan", name, *flags, "--checkpoint_seconds=0"]
    process = subprocess.Popen(command, env=command_environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list((tmp_path / "run").glob("checkpoints/*.npz")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run_command(name, *flags, "--checkpoint_seconds=0")
    one, two = (
        OctreeModel.from_bytes((f / "models/octree.npz").read_bytes()) for f in (trained_octree, tmp_path / "run")
    )
    assert one.fingerprint == two.fingerprint
    assert "finished already" in run_command(name, *flags, "--checkpoint_seconds=0").stdout
    os.remove(tmp_path / "run" / "models" / "octree.npz")
    error = run_command("compress", f"--model={tmp_path}/run", tmp_path, check=False)
    assert error.returncode == 1 and "Traceback" not in error.stderr


@pytest.mark.parametrize(
    ("function", "value", "message"),
    [
        ("on_several_hosts", True, "multi_worker: an octree model trains on one host; take none"),
        ("replicas", 2, "mirrored: an octree model trains on one device; take none"),
    ],
)
def test_it_trains_on_one_device(function, value, message, tmp_path, monkeypatch):
    monkeypatch.setattr(f"keras3dgan.backend.{function}", lambda: value)
    with pytest.raises(InputError, match=f"^strategy: {message}"):
        octree.train(octree.RECIPE.make_settings("test"), Run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_shapes_that_are_all_alike_are_refused(tmp_path):
    same = boxes(1, 32).take(np.zeros(12, np.int64))
    split_archive.write(tmp_path / "same.npz", same, np.repeat(["train", "validation", "test"], 4))
    failed = run_command(*_words(tmp_path / "same.npz", tmp_path / "run"), check=False)
    assert failed.returncode == 1 and "--dataset: its shapes are too few, or too much alike" in failed.stderr
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_training_that_diverges_keeps_what_was_good(trained_octree, packed_archive, tmp_path, monkeypatch):
    name, *flags = _words(packed_archive, tmp_path / "run")
    run_command(name, *flags, "--epochs=1")
    before = (tmp_path / "run" / "models" / "octree.npz").read_bytes()
    monkeypatch.setattr(octree, "_train_epoch", lambda *_: [1.0, float("nan")])
    failed = run_command(name, *flags, "--epochs=2", check=False)
    assert failed.returncode == 1 and "loss is not finite after epoch 2; the last good checkpoint" in failed.stderr
    assert (tmp_path / "run" / "models" / "octree.npz").read_bytes() == before


def test_it_goes_on_from_another_model(trained_octree, packed_archive, tmp_path):
    first = OctreeModel.from_bytes((trained_octree / "models" / "octree.npz").read_bytes())
    small = octree.RECIPE.make_settings("test")
    model = octree.build(small)
    from_integers(model, first)
    assert to_integers(model, first.codebook).fingerprint == first.fingerprint
    name, *flags = _words(packed_archive, tmp_path / "run")
    run_command(name, *flags, f"--start_from={trained_octree}", "--epochs=1", "--steps=5", "--learning_rate=0.00001")
    again = OctreeModel.from_bytes((tmp_path / "run" / "models" / "octree.npz").read_bytes())
    for kernel, before in zip(again.networks[32], first.networks[32], strict=True):
        assert np.abs(kernel.astype(int) - before).max() <= 2
    failed = run_command(name, *flags[:-2], f"--workdir={tmp_path}/b", "--start_from=octree32", check=False)
    assert failed.returncode == 1 and "is of resolution 32 and width 256; give this width" in failed.stderr


def test_larger_grids_go_on_from_the_coarser_levels_of_a_smaller_model(trained_octree):
    first = OctreeModel.from_bytes((trained_octree / "models" / "octree.npz").read_bytes())
    model = octree.build(octree.RECIPE.make_settings("test", resolution=64))
    finest = model.get_layer("look_64_0").kernel.numpy()
    from_integers(model, first)
    codebook = fit_codebook(boxes(6, 64).grids(), 3, 0)
    larger = to_integers(model, codebook)
    for level, network in first.networks.items():
        for kernel, before in zip(larger.networks[level], network, strict=True):
            np.testing.assert_array_equal(kernel, before)
    np.testing.assert_array_equal(model.get_layer("look_64_0").kernel.numpy(), finest)


def test_stretched_shapes_keep_their_longest_extent_and_their_mirrors():
    grids = boxes(40, 16).grids()
    rng = np.random.default_rng(0)
    changed = 0
    for grid in grids:
        one, two = stretched(np.stack([grid, grid[::-1]]), rng)
        np.testing.assert_array_equal(one, one[::-1])  # boxes are symmetric
        np.testing.assert_array_equal(two, one)
        before, after = (np.array([np.ptp(places) for places in np.nonzero(g)]) for g in (grid, one))
        assert before.max() == after.max() and (before != after).sum() <= 1
        changed += bool((before != after).any())
    assert changed > 30
    empty = np.zeros((2, 8, 8, 8), np.uint8)
    np.testing.assert_array_equal(stretched(empty, rng), empty)


def test_integers_predict_what_the_floats_predict():
    small = octree.RECIPE.make_settings("test", resolution=16, dropout=0.0)
    grids = boxes(30, 16).grids()
    keras.utils.set_random_seed(0)
    model = octree.build(small)
    samples = VoxelSamples(grids, 64, 0, 12)
    epoch = samples.epoch(0)
    for step in range(60):
        model.train_on_batch(*epoch.batch(step % 20))
    integers = to_integers(model, fit_codebook(grids, 6, 0))
    grid = grids[3]
    start = Start(int(integers.codebook.nearest(grid[None])[0, 0]))
    expected = 0.0
    wanted = [features.padded(level) for level in features.pyramid(grid[None])]
    empty = np.zeros((1, 1), np.uint8)
    for index, level in enumerate(features.levels(16)):
        template = features.template(level)
        parents = wanted[index - 1] if index else empty
        prototypes = integers.codebook.padded(start.number)[index][None]
        places, buckets = np.zeros((level**3, 3), np.uint8), np.zeros((level**3, features.MIRRORS), np.uint8)
        count = levels.trace(wanted[index][0], parents[0], template, places, buckets)
        rows = np.zeros((count, features.size(level)), np.uint8)
        seen = (wanted[index], parents, wanted[0], prototypes)
        shapes = np.zeros(count, np.int32)
        levels.dense_features(*seen, shapes, places[:count], buckets[:count], template, rows)
        others = {str(n): np.zeros((count, features.size(n)), np.uint8) for n in features.levels(16)}
        logits = model.predict_on_batch(others | {str(level): rows})[str(level)]
        chosen = np.where(np.abs(logits[:, 0]) > 6, logits[:, 0], logits[:, 1])
        x, y, z = places[:count].astype(int).T
        bits = wanted[index][0][features.position(x, y, z, template.stride)]
        chances = 1 / (1 + np.exp(-chosen))
        expected += -np.log2(np.where(bits, chances, 1 - chances)).sum() / 8
    # Rounding to eight bits costs a percent or two.
    assert integers.cost(grid, start) == pytest.approx(expected, rel=0.03)


def test_the_nearest_of_others_is_never_equal():
    grids = boxes(12, 16).grids()
    doubled = np.concatenate([grids, grids[:3]])
    nearest = _nearest_others(doubled)
    for row, other in enumerate(nearest):
        assert not np.array_equal(doubled[row], doubled[other])
        scores = iou(np.repeat(doubled[row][None], len(doubled), axis=0), doubled)
        assert scores[other] == max(scores[scores < 1])


def test_batches_are_a_function_of_seed_epoch_and_step():
    samples = VoxelSamples(boxes(30, 16).grids(), 32, 3, 6)
    again = VoxelSamples(boxes(30, 16).grids(), 32, 3, 6)
    for one, two in zip(samples.epoch(2).batch(5), again.epoch(2).batch(5), strict=True):
        assert all(np.array_equal(one[name], two[name]) for name in ("8", "16"))
    other = samples.epoch(3).batch(5)[0]
    assert not np.array_equal(other["16"], samples.epoch(2).batch(5)[0]["16"])


def test_weights_undo_how_often_a_voxel_is_drawn():
    """The weighted share of occupied voxels is that of the shapes, though uncertain voxels are drawn more often."""
    grids = boxes(40, 16).grids()
    epoch = VoxelSamples(grids, 4096, 0, 6).epoch(0)
    _, wanted, weights = epoch.batch(0)
    share = epoch._levels[1]._bits.mean()
    drawn = (wanted["16"][:, 0] * weights["16"]).sum() / weights["16"].sum()
    assert drawn == pytest.approx(share, abs=0.05)
