"""A training killed at any moment and started again ends with the weights of one never interrupted."""

import json
import random
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.conftest import command_environment, needs_jax, run_command


def _words(kind, workdir, archive, trained, epochs=6):
    words = [f"--workdir={workdir}", "--preset=test", f"--dataset={archive}", f"--epochs={epochs}"]
    words += ["--checkpoint_seconds=0"]
    if kind == "train_gan":
        words += [
            "--resolution=16",
            "--augmentation=rotate",
            "--samples_every=0",
            "--gate_accuracy=0.8",
            "--balance=0.5",
        ]
        words += ["--measure_every=2"]
    if kind.endswith("latent"):
        words += ["--preset=latent", f"--autoencoder={trained}/autoencoder", "--picture_size=32", "--encoder_width=16"]
    if kind.startswith("train_vae_gan"):
        words += ["--measure_every=2", "--samples_every=0", f"--data_dir={trained}/data"]
    if kind == "train_compressor":
        words += [f"--gan={trained}/gan", f"--voxnet={trained}/voxnet", "--halve_every=2"]
    return words


def _final_state(workdir):
    """Names and values of the last checkpoint's variables; the numbers in names count what a process has built before."""
    path = max((workdir / "checkpoints").glob("checkpoint-*.npz"))
    with np.load(path) as content:
        header = json.loads(content["header"].tobytes())
        names = [re.sub(r"_\d+(?=/|$)", "", name) for name in header["variables"]]
        return names, [content[f"{i:05d}"] for i in range(len(header["variables"]))]


def _stop_at_a_random_moment(kind, words, workdir, after, number=signal.SIGKILL):
    """Starts a training, waits until it has `after` epochs, and ends it within the next moment by a signal."""
    command = [sys.executable, "-m", "keras3dgan", kind, *words]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=command_environment()
    )
    metrics = workdir / "metrics.jsonl"
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and process.poll() is None:
        if metrics.exists() and metrics.read_text().count("\n") >= after:
            break
        time.sleep(0.01)
    time.sleep(random.random() * 0.2)
    process.send_signal(number)
    return process.communicate(timeout=120)[1], process.returncode


@pytest.mark.parametrize(
    ("kind", "backend"),
    [
        ("train_gan", "tensorflow"),
        ("train_voxnet", "tensorflow"),
        # What they share with these has been shown by then; benchmarks/kills.py kills all six kinds fifty times, and
        # jax_test.py goes on with runs on the other backend.
        pytest.param("train_gan", "jax", marks=[needs_jax, pytest.mark.slow]),
        pytest.param("train_compressor", "tensorflow", marks=pytest.mark.slow),
        pytest.param("train_vae_gan", "tensorflow", marks=pytest.mark.slow),
        pytest.param("train_vae_gan latent", "tensorflow", marks=pytest.mark.slow),
        pytest.param("train_voxnet", "jax", marks=[needs_jax, pytest.mark.slow]),
    ],
)
def test_killed_and_resumed_equals_uninterrupted(kind, backend, packed_archive, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    # The last moment is after epoch 2 at least: an epoch is recorded before its checkpoint, so only epoch 1's is sure.
    epochs = 4 if backend == "tensorflow" else 3
    command = kind.partition(" ")[0]
    run_command(command, *_words(kind, whole, packed_archive, trained, epochs))
    words = _words(kind, torn, packed_archive, trained, epochs)
    _stop_at_a_random_moment(command, words, torn, 2)
    out = run_command(command, *words).stdout
    assert "going on after epoch" in out or "finished already" in out
    _assert_equal_runs(whole, torn)


def _assert_equal_runs(whole, torn):
    names, expected = _final_state(whole)
    same_names, found = _final_state(torn)
    assert names == same_names
    for name, a, b in zip(names, expected, found, strict=True):
        np.testing.assert_array_equal(a, b, name)
    lines = [[json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()] for run in (whole, torn)]
    for a, b in zip(*lines, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}


def _gan_words(workdir, archive, epochs, *more):
    common = ["--preset=test", f"--dataset={archive}", "--samples_every=0", "--measure_every=1", f"--epochs={epochs}"]
    return [f"--workdir={workdir}", *common, *more]


def test_sigterm_saves_what_no_checkpoint_holds_yet(packed_archive, tmp_path):
    """With a checkpoint an hour nothing is written until the signal; then the last whole epoch is."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    words = _gan_words(torn, packed_archive, 200, "--checkpoint_seconds=3600")
    error, status = _stop_at_a_random_moment("train_gan", words, torn, 2, signal.SIGTERM)
    assert status == 143 and error == "keras3dgan train_gan: terminated; run the same command again to go on\n"
    [checkpoint] = (torn / "checkpoints").iterdir()
    done = int(checkpoint.stem.split("-")[1]) // 4  # 72 shapes, 16 a step
    assert done >= 1  # the second epoch was over, and may have been about to be recorded
    for folder in (torn, whole):
        run_command("train_gan", *_gan_words(folder, packed_archive, done + 1, "--checkpoint_seconds=0"))
    _assert_equal_runs(whole, torn)


@pytest.mark.slow  # best_generator_test.py has what decides it
def test_a_run_that_patience_ended_before_its_result_was_written_trains_no_further(packed_archive, tmp_path):
    words = ("train_gan", *_gan_words(tmp_path, packed_archive, 40, "--patience=1"))
    run_command(*words)
    result, before = (json.loads((tmp_path / "result.json").read_text()), _final_state(tmp_path))
    assert result["epochs"] < 40
    lines = (tmp_path / "metrics.jsonl").read_bytes()
    (tmp_path / "result.json").unlink()  # as a kill at that moment leaves it
    run_command(*words)
    assert (tmp_path / "metrics.jsonl").read_bytes() == lines
    assert {**json.loads((tmp_path / "result.json").read_text()), "seconds": result["seconds"]} == result
    for a, b in zip(before[1], _final_state(tmp_path)[1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow  # cli_test.py has what is said
def test_a_full_disk_loses_no_earlier_checkpoint(packed_archive, tmp_path):
    """No file may grow beyond 30 kB: the next checkpoint, of 100 kB, cannot be written."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    words = ("train_gan", *_gan_words(torn, packed_archive, 2))
    run_command(*words)
    before = {path.name: path.read_bytes() for path in (torn / "checkpoints").iterdir()}
    words = ("train_gan", *_gan_words(torn, packed_archive, 4))
    limit = (30_000, 30_000)
    result = run_command(*words, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert result.returncode == 1 and "check the folder and its free space" in result.stderr
    assert result.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in (torn / "checkpoints").iterdir()} == before
    run_command(*words)
    run_command("train_gan", *_gan_words(whole, packed_archive, 4))
    _assert_equal_runs(whole, torn)


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_last_good_checkpoint(packed_archive, tmp_path):
    words = _gan_words(tmp_path / "first", packed_archive, 3, "--g_learning_rate=1e38")
    result = run_command("train_gan", *words, check=False)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "is not finite after epoch 1; there is no good checkpoint yet" in result.stderr
    # A learning rate that grows out of all bounds only later: a checkpoint by hand, with the rate changed in it.
    workdir = tmp_path / "second"
    run_command("train_gan", *_gan_words(workdir, packed_archive, 1))
    [path] = (workdir / "checkpoints").iterdir()
    with np.load(path) as content:
        arrays = dict(content)
    names = json.loads(arrays["header"].tobytes())["variables"]
    rate = next(i for i, name in enumerate(names) if re.fullmatch(r"adam(_\d+)?/learning_rate", name))
    arrays[f"{rate:05d}"] = np.array(1e38, np.float32)
    np.savez(path, **arrays)
    result = run_command("train_gan", *_gan_words(workdir, packed_archive, 3), check=False)
    assert result.returncode == 1 and f"the last good checkpoint is {path}" in result.stderr
    assert [p.name for p in (workdir / "checkpoints").iterdir()] == [path.name]
