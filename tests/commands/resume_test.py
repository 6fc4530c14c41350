"""A training killed at any moment and started again ends with the weights of one never interrupted."""

import json
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.conftest import command_environment, run_command


def _words(kind, workdir, archive, trained):
    words = [f"--workdir={workdir}", "--preset=test", f"--dataset={archive}", "--epochs=6", "--checkpoint_seconds=0"]
    if kind == "train_gan":
        words += ["--augmentation=rotate", "--samples_every=0", "--gate_accuracy=0.8", "--balance=0.5"]
    if kind == "train_compressor":
        words += [f"--gan={trained}/gan", f"--voxnet={trained}/voxnet", "--halve_every=2"]
    return words


def _final_state(workdir):
    path = max((workdir / "checkpoints").glob("checkpoint-*.npz"))
    with np.load(path) as content:
        header = json.loads(content["header"].tobytes())
        return header["variables"], [content[f"{i:05d}"] for i in range(len(header["variables"]))]


def _kill_at_a_random_moment(kind, words, workdir, after):
    """Starts a training, waits until it has `after` epochs, and kills it within the next moment."""
    command = [sys.executable, "-m", f"keras3dgan.commands.{kind}", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=command_environment())
    metrics = workdir / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if metrics.exists() and metrics.read_text().count("\n") >= after:
            break
        time.sleep(0.01)
    time.sleep(random.random() * 0.2)
    process.kill()
    process.wait()


@pytest.mark.parametrize("kind", ["train_gan", "train_voxnet", "train_compressor"])
def test_killed_and_resumed_equals_uninterrupted(kind, packed_archive, trained, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    run_command(kind, *_words(kind, whole, packed_archive, trained))
    for after in (1, 3) if kind == "train_gan" else (2,):
        _kill_at_a_random_moment(kind, _words(kind, torn, packed_archive, trained), torn, after)
    out = run_command(kind, *_words(kind, torn, packed_archive, trained)).stdout
    assert "going on after epoch" in out or "finished already" in out
    names, expected = _final_state(whole)
    same_names, found = _final_state(torn)
    assert names == same_names
    for name, a, b in zip(names, expected, found, strict=True):
        np.testing.assert_array_equal(a, b, name)
    lines = [[json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()] for run in (whole, torn)]
    for a, b in zip(*lines, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
