"""Steps on the latents of one shape bring what is restored nearer to it."""

import numpy as np
import pytest

from keras3dgan import codec
from keras3dgan.codec.goals import Goal
from keras3dgan.errors import InputError
from keras3dgan.recipes import load_codec
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes

MODEL = "compressor_furniture_32"


@pytest.fixture(scope="module")
def grids():
    return boxes(3, 32).grids()


def test_streams_restore_more_of_a_shape(grids):
    quick, slow = load_codec(MODEL), load_codec(MODEL, Goal(latent_steps=8))
    before, after = (iou(grids, used.decode(used.encode(grids))) for used in (quick, slow))
    assert (after > before).all() and after.mean() > before.mean() + 0.02
    # Anybody decodes them.
    np.testing.assert_array_equal(quick.decode(slow.encode(grids)) > 0.5, slow.decode(slow.encode(grids)) > 0.5)


def test_a_shape_is_searched_by_itself(grids):
    slow = load_codec(MODEL, Goal(latent_steps=4))
    together = slow.analyse(grids)
    np.testing.assert_allclose(slow.analyse(grids[1:2])[0], together[1], atol=0.05 * slow.coder.step)


def test_goals_hold_with_it(grids):
    [point] = load_codec(MODEL, Goal(bytes=40, latent_steps=4)).choose(grids[:1])
    assert point.size <= 40


def test_models_without_latents_refuse():
    with pytest.raises(InputError, match="no latents") as raised:
        codec.load("octree32", Goal(latent_steps=3))
    assert raised.value.setting == "latent_steps"
    with pytest.raises(InputError, match="at least 0, got -1"):
        Goal(latent_steps=-1)
