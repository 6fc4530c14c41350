"""The examples in the docstrings of public classes run, and give what they say: all models, and the table of docs/api.md."""

import doctest
import importlib
import pathlib
import re

import keras
import numpy as np
import pytest

from keras3dgan import models

_PAGE = pathlib.Path(__file__).parent.parent / "docs" / "api.md"
_LISTED = re.findall(r"^\| `(keras3dgan\.[\w.]+)\.(\w+)` \|", _PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", models.__all__)
def test_the_example_of_a_model(name):
    names = {"keras": keras, "np": np, **{each: getattr(models, each) for each in models.__all__}}
    _run(getattr(models, name), names)


@pytest.mark.parametrize(("module", "name"), _LISTED)
def test_the_example_of(module, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = importlib.import_module(module)
    _run(getattr(found, name), {"np": np, **vars(found)})


def _run(cls, names):
    [found] = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, globs=names)
    assert found.examples
    runner = doctest.DocTestRunner(verbose=False)
    said = []
    runner.run(found, out=said.append)
    assert not runner.failures, "".join(said)
