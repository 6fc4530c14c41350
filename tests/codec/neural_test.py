import numpy as np
import pytest

from keras3dgan import models
from keras3dgan.codec.evaluation import evaluate, table
from keras3dgan.codec.neural import NeuralCodec
from keras3dgan.codec.pca import PCACodec
from keras3dgan.errors import InputError
from keras3dgan.models.fingerprint import fingerprint
from tests.conftest import boxes


@pytest.fixture(scope="module")
def codec():
    return NeuralCodec(models.Encoder(16, 10, 8, 0.1), models.Generator(16, 10, 8, 0.1))


def test_streams_of_one_and_of_many(codec):
    grids = boxes(5).grids()
    streams = codec.encode(grids)
    assert {len(stream) for stream in streams} == {16 + 20 + 4}
    occupancy = codec.decode(streams)
    assert occupancy.shape == (5, 16, 16, 16) and 0 <= occupancy.min() <= occupancy.max() <= 1
    np.testing.assert_allclose(codec.decode(streams[2:3])[0], occupancy[2], atol=1e-5)
    with pytest.raises(ValueError, match="expected grids"):
        codec.encode(boxes(2, 8).grids())


def test_another_models_stream_is_refused(codec):
    other = NeuralCodec(codec.encoder, models.Generator(16, 10, 8, 0.1))
    with pytest.raises(InputError, match="--model"):
        other.decode(codec.encode(boxes(1).grids()), ["chair.g3c"])


def test_the_fingerprint_follows_the_weights(codec):
    clone = models.Generator(16, 10, 8, 0.1)
    assert fingerprint(clone)[:8] != codec.fingerprint
    clone.set_weights(codec.decoder.get_weights())
    assert fingerprint(clone)[:8] == codec.fingerprint


def test_pca_with_enough_components_restores_its_training_shapes():
    shapes = boxes(12)
    row = evaluate(PCACodec(shapes, 11), shapes)
    assert row["iou"] > 0.99 and row["shapes"] == 12 and row["latents"] == 11
    assert (
        row["bytes"] == 20 + 22
        and row["byte_ratio"] == round(512 / 42, 2)
        and row["dimension_ratio"] == round(4096 / 11, 1)
    )
    assert set(row["iou_by_class"]) == {"flat", "tall"}
    fewer = evaluate(PCACodec(shapes, 2), shapes)
    assert fewer["iou"] < row["iou"]
    lines = table({"two": fewer, "eleven": row}).splitlines()
    assert lines[1].startswith("eleven") and lines[2].startswith("two")
