"""What many tests need: shapes, a prepared data folder, and the commands as subprocesses."""

import contextlib
import fcntl
import functools
import importlib.util
import io
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from keras3dgan.commands import cli, main
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.shape_set import ShapeSet

needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


def corner_shape(size: int = 8) -> np.ndarray:
    """A grid that no rotation or mirroring maps onto itself: arms of three lengths along x, y and z."""
    grid = np.zeros((size,) * 3, np.uint8)
    grid[1:7, 1, 1] = 1
    grid[1, 1:5, 1] = 1
    grid[1, 1, 1:4] = 1
    return grid


def boxes(count: int, size: int = 16, seed: int = 0) -> ShapeSet:
    """Random boxes, flat ones of class 0 and tall ones of class 1."""
    rng = np.random.default_rng(seed)
    volumes = np.zeros((count, size, size, size), np.uint8)
    labels = np.arange(count) % 2
    for volume, label in zip(volumes, labels, strict=True):
        a, b = rng.integers(size // 4, size // 2, 2)
        height = rng.integers(2, 4) if label == 0 else rng.integers(size // 2, size - 2)
        volume[size // 2 - a : size // 2 + a, size // 2 - b : size // 2 + b, 1 : 1 + height] = 1
    ids = np.array([f"box/{index}" for index in range(count)])
    return ShapeSet(grids.pack(volumes), labels.astype(np.int64), ids, ("flat", "tall"), size)


def made_once(tmp_path_factory, name: str, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """A folder that the first worker of a session makes, and the others wait for."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
    return folder


@pytest.fixture(scope="session")
def packed_archive(tmp_path_factory) -> pathlib.Path:
    """A small file in the packed form of ModelNet10, 30^3, with an empty grid in it."""
    return made_once(tmp_path_factory, "packed", _pack) / "modelnet10.npz"


def _pack(folder: pathlib.Path) -> None:
    content = {}
    for part, count in (("train", 80), ("test", 12)):
        shapes = boxes(count, 30, seed=len(part))
        volumes = shapes.grids().astype(np.int32)
        volumes[3] = 0
        content |= {f"X_{part}": volumes, f"y_{part}": shapes.labels * 2}
    np.savez_compressed(folder / "modelnet10.npz", **content)


def run_command(*words: object, check: bool = True, fresh: bool = False, **kwargs) -> subprocess.CompletedProcess:
    """Runs a command as `keras3dgan <words>` does: in this process, where TensorFlow is there already, or in one of its own.

    Args:
        words: the command and its flags.
        check: whether it must succeed.
        fresh: in a process of its own; so too where another backend is asked for, or something of `subprocess.run`.
    """
    words = tuple(map(str, words))
    if fresh or kwargs or os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        command = [sys.executable, "-m", "keras3dgan", *words]
        result = subprocess.run(
            command, capture_output=True, text=True, env=command_environment(), timeout=600, **kwargs
        )
    else:
        result = _run_here(words)
    if check:
        assert result.returncode == 0, result.stderr
    return result


def _run_here(words: tuple[str, ...]) -> subprocess.CompletedProcess:
    out, err, status = io.StringIO(), io.StringIO(), 0
    before = sys.argv, {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.argv = ["keras3dgan", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main.main()
    except SystemExit as error:
        status = error.code or 0
    finally:
        sys.argv = before[0]
        for number, handler in before[1].items():
            signal.signal(number, handler)
        _forget_flags(words[0])
        logging.disable(logging.NOTSET)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def _forget_flags(name: str) -> None:
    """Commands define their flags when they are imported, which a process does once."""
    for names in cli._groups.values():
        for flag in names:
            delattr(cli.FLAGS, flag)
        names.clear()
    sys.modules.pop(f"keras3dgan.commands.{name}", None)


def command_environment() -> dict[str, str]:
    """The environment of commands: this checkout is importable from everywhere."""
    root = str(pathlib.Path(__file__).resolve().parents[1])
    # JAX, which a test may have imported, sets it; a person's shell does not.
    inherited = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return {**inherited, "PYTHONPATH": root, "OMP_NUM_THREADS": "2"}


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory) -> pathlib.Path:
    """A folder for prepared data sets that tests share: preparing the furniture takes seconds."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def trained(packed_archive, tmp_path_factory) -> pathlib.Path:
    """A folder with tiny finished runs `gan`, `voxnet`, `compressor` and `autoencoder`, trained by the commands."""
    return made_once(tmp_path_factory, "trained", functools.partial(_train, packed_archive))


def _train(packed_archive: pathlib.Path, folder: pathlib.Path) -> None:
    common = ("--preset=test", f"--dataset={packed_archive}", "--batch_size=16")
    run_command("train_gan", f"--workdir={folder}/gan", *common)
    run_command("train_voxnet", f"--workdir={folder}/voxnet", *common, "--classes=bathtub,chair")
    run_command(
        "train_compressor",
        f"--workdir={folder}/compressor",
        f"--gan={folder}/gan",
        f"--voxnet={folder}/voxnet",
        *common,
        "--epochs=12",
    )
    run_command("train_autoencoder", f"--workdir={folder}/autoencoder", *common, "--epochs=12")


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory) -> pathlib.Path:
    """A folder with `encoder`, `decoder`, `generator` and `voxnet` as SavedModels, version 1 each."""
    return made_once(tmp_path_factory, "exported", functools.partial(_export, trained))


def _export(trained: pathlib.Path, folder: pathlib.Path) -> None:
    out = run_command("export_models", f"--model={trained}/compressor", f"--output={folder}").stdout
    assert out == f"wrote {folder}/decoder/1 and {folder}/encoder/1\n"
    for kind in ("gan", "voxnet"):
        run_command("export_models", f"--model={trained}/{kind}", f"--output={folder}")
