"""The Python interface: its docstrings' examples, and the page about it, run as they stand."""

import doctest
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import keras3dgan
from keras3dgan import api
from keras3dgan.errors import InputError
from keras3dgan.voxels import io
from tests.conftest import command_environment

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "api.md"


@pytest.fixture
def chair(tmp_path, monkeypatch):
    """A folder with `chair.obj`, the current one."""
    grid = np.zeros((32, 32, 32), np.uint8)
    grid[8:24, 8:24, 12:14] = grid[8:24, 22:24, 14:28] = 1
    for x in (8, 22):
        for y in (8, 22):
            grid[x : x + 2, y : y + 2, 2:12] = 1
    io.write_shape(tmp_path / "chair.obj", grid)
    monkeypatch.chdir(tmp_path)
    return grid


def test_examples_of_docstrings():
    assert doctest.testmod(api) == doctest.TestResults(0, 10)


def test_the_page_runs(chair, capsys):
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    np.testing.assert_array_equal(names["grid"], chair)
    np.testing.assert_array_equal(names["first"] > 0.5, chair)
    assert len(names["small"]) <= 30 and names["fine"].shape == (1, 64, 64, 64)
    np.testing.assert_array_equal(names["whole"][:, :, :, :16], np.stack([chair[:, :, :16]] * 2))
    assert names["codec_of_run"].resolution == 32 and names["result"]["epochs"] == 1


def test_the_page_on_models_runs():
    page = PAGE.with_name("models.md")
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)
    assert names["generator"].resolution == 32


def test_streams_by_path_and_one_class_by_name(chair):
    pathlib.Path("chair.g3c").write_bytes(keras3dgan.compress(chair))
    np.testing.assert_array_equal(keras3dgan.decompress("chair.g3c"), chair)
    one, list_of_one = (keras3dgan.generate(1, classes=classes) for classes in ("chair", ["chair"]))
    np.testing.assert_array_equal(one, list_of_one)


def test_errors_are_sentences(chair):
    for call, words in (
        (lambda: keras3dgan.compress("nobody.obj"), "nobody.obj: no such file"),
        (lambda: keras3dgan.compress(chair, model="octree16"), "give one, or a name: octree32"),
        (lambda: keras3dgan.compress(chair, bytes=3), "bytes: 3 are too few"),
        (lambda: keras3dgan.decompress(b"PK"), "not a .g3c file"),
        (lambda: keras3dgan.generate(0), "count: must be at least 1"),
    ):
        with pytest.raises(InputError, match=words):
            call()
    with pytest.raises(AttributeError, match="no attribute 'compres'"):
        keras3dgan.compres  # noqa: B018


def test_importing_it_takes_no_time_and_loads_nothing():
    program = (
        "import sys, keras3dgan; print([n for n in ('numpy', 'numba', 'keras', 'tensorflow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=command_environment())
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("order", [("keras", "keras3dgan"), ("keras3dgan", "keras")])
def test_a_keras_file_loads_after_it_alone(trained, order):
    program = (
        f"import {', '.join(order)}\n"
        f"model = keras.saving.load_model({str(trained / 'gan/models/generator.keras')!r}, compile=False)\n"
        "print(type(model).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=command_environment())
    assert done.stdout == "Generator\n", done.stderr
