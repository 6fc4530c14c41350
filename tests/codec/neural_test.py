import numpy as np
import pytest

from keras3dgan import models
from keras3dgan.codec.container import OVERHEAD
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.latent import neural
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.codec.latent.fitting import TOLERANCE, fit_coders
from keras3dgan.codec.latent.neural import NeuralCodec
from keras3dgan.errors import InputError
from keras3dgan.evaluation.compression import evaluate, table
from keras3dgan.evaluation.pca import PCACodec
from keras3dgan.models.fingerprint import fingerprint
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes


def _codec(encoder, decoder, step=0.01):
    latents = neural.analyse(encoder.predict_on_batch, boxes(40).grids())
    coders = [EntropyCoder.fit(latents, factor * step, 16, fingerprint(decoder)) for factor in (1, 4)]
    return NeuralCodec(encoder, decoder, coders)


@pytest.fixture(scope="module")
def codec():
    return _codec(models.Encoder(16, 10, 8, 0.1), models.Generator(16, 10, 8, 0.1))


def test_streams_of_one_and_of_many(codec):
    grids = boxes(5).grids()
    streams = codec.encode(grids)
    occupancy = codec.decode(streams)
    assert occupancy.shape == (5, 16, 16, 16) and 0 <= occupancy.min() <= occupancy.max() <= 1
    np.testing.assert_allclose(codec.decode(streams[2:3])[0], occupancy[2], atol=1e-5)
    exact = neural.synthesise(codec.decoder.predict_on_batch, codec.analyse(grids))
    np.testing.assert_allclose(occupancy, exact, atol=0.05)  # all that the fine step costs
    with pytest.raises(ValueError, match="expected grids"):
        codec.encode(boxes(2, 8).grids())


def test_another_models_stream_is_refused(codec):
    other = _codec(codec.encoder, models.Generator(16, 10, 8, 0.1))
    with pytest.raises(InputError, match=r"chair\.g3c: written by model"):
        other.decode(codec.encode(boxes(1).grids()), ["chair.g3c"])
    coarser = _codec(codec.encoder, codec.decoder, step=0.02)
    with pytest.raises(InputError, match="written by model"):
        coarser.decode(codec.encode(boxes(1).grids()))


def test_the_fingerprint_follows_the_weights(codec):
    clone = models.Generator(16, 10, 8, 0.1)
    assert fingerprint(clone) != fingerprint(codec.decoder)
    clone.set_weights(codec.decoder.get_weights())
    assert fingerprint(clone) == fingerprint(codec.decoder)


def test_pca_with_enough_components_restores_its_training_shapes():
    shapes = boxes(12)
    fine = PCACodec(shapes, shapes, 11, step=0.05)
    row = evaluate(fine, shapes)
    assert row["iou"] > 0.99 and row["shapes"] == 12 and row["latents"] == 11 and row["step"] == 0.05
    size = np.mean([len(stream) for stream in fine.encode(shapes.grids())])
    assert OVERHEAD < size < OVERHEAD + 22  # less than half precision takes
    assert row["bytes"] == round(size, 1) and row["byte_ratio"] == round(512 / size, 2)
    assert row["dimension_ratio"] == round(4096 / 11, 1)
    assert set(row["iou_by_class"]) == {"flat", "tall"}
    fewer = evaluate(PCACodec(shapes, shapes, 2), shapes)
    assert fewer["iou"] < row["iou"] and fewer["bytes"] < row["bytes"]
    lines = table({"two": fewer, "eleven": row}).splitlines()
    assert lines[1].startswith("eleven") and lines[2].startswith("two")


def test_the_step_is_the_coarsest_that_costs_little():
    train, validation = boxes(60), boxes(30, seed=1)
    chosen = PCACodec(train, validation, 20)
    grids = validation.grids()
    latents = chosen.analyse(grids)
    unquantised = iou(grids, chosen.synthesise(latents)).mean()

    def cost(step):
        return unquantised - iou(grids, chosen.synthesise((np.rint(latents / step) * step).astype(np.float32))).mean()

    assert cost(chosen.coder.step) <= TOLERANCE < cost(chosen.coder.step * 2**0.5)
    [given, coarse] = fit_coders(chosen.analyse, chosen.synthesise, train, validation, b"", step=0.5, factors=(1, 3))
    assert given.step == 0.5 and coarse.step == 1.5


def test_goals_choose_among_the_rates_of_one_model():
    shapes = boxes(40)
    grids = shapes.grids()
    rates = PCACodec(shapes, shapes, 20, step=0.5, factors=(1, 4, 16))
    fine = np.array([len(stream) for stream in rates.encode(grids)])
    rates.goal = Goal(min_iou=0.7)
    streams = rates.encode(grids)
    assert iou(grids, rates.decode(streams)).min() >= 0.7 and np.mean([len(stream) for stream in streams]) < fine.mean()
    rates.goal = Goal(mean_bytes=float(fine.mean()) - 2)
    streams = rates.encode(grids)
    assert np.mean([len(stream) for stream in streams]) <= fine.mean() - 2
    assert len({stream[2:5] for stream in streams}) > 1  # some of each rate
    with pytest.raises(InputError, match="min_iou: 1.0 is out of this model's reach"):
        _with(PCACodec(shapes, shapes, 2), Goal(min_iou=1.0)).encode(grids)


def _with(codec, goal):
    codec.goal = goal
    return codec
