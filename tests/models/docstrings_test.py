"""The examples in the docstrings of public models run, and give what they say."""

import doctest

import keras
import numpy as np
import pytest

from keras3dgan import models


@pytest.mark.parametrize("name", models.__all__)
def test_the_example_of(name):
    cls = getattr(models, name)
    names = {"keras": keras, "np": np, **{each: getattr(models, each) for each in models.__all__}}
    [found] = doctest.DocTestFinder(recurse=False).find(cls, name, globs=names)
    assert found.examples
    runner = doctest.DocTestRunner(verbose=False)
    said = []
    runner.run(found, out=said.append)
    assert not runner.failures, "".join(said)
