"""The octree model's networks in floating point, as they are trained."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from keras3dgan.codec.octree import features
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.network import Network, from_floats, to_floats

_GLANCE = 32
_HIDDEN = (64, 32)


def build_octree_predictor(resolution: int, width: int, dropout: float) -> keras.Model:
    """Two perceptrons for every level, a glance and a look, that predict a voxel from what was coded before it.

    Args:
        resolution: n of the n^3 grids.
        width: units of the larger one's first layer.
        dropout: share of its first layer's units left out in training.

    Returns:
        A model of uint8 (batch, features) by the level's name, as "32", to logits float32 (batch, 2), one of each.
    """
    inputs, outputs = {}, {}
    for level in features.levels(resolution):
        name = str(level)
        inputs[name] = keras.Input((features.size(level),), dtype="uint8", name=name)
        bits = layers.Rescaling(1.0)(inputs[name])
        glance = layers.Dense(_GLANCE, "relu", name=f"glance_{name}_0")(bits)
        glance = layers.Dense(1, dtype="float32", name=f"glance_{name}_1")(glance)
        look = layers.Dense(width, "relu", name=f"look_{name}_0")(bits)
        look = layers.Dropout(dropout)(look)
        for index, units in enumerate(_HIDDEN, 1):
            look = layers.Dense(units, "relu", name=f"look_{name}_{index}")(look)
        look = layers.Dense(1, dtype="float32", name=f"look_{name}_{len(_HIDDEN) + 1}")(look)
        outputs[name] = layers.Concatenate(name=f"logits_{name}", dtype="float32")([glance, look])
    return keras.Model(inputs, outputs, name="octree")


def to_integers(predictor: keras.Model, codebook: Codebook) -> OctreeModel:
    """The model that codes, of the trained networks and the prototypes they were trained with."""

    def network(level: int) -> Network:
        def weights(part: str, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
            found = [predictor.get_layer(f"{part}_{level}_{index}") for index in range(count)]
            return [(layer.kernel.numpy(), layer.bias.numpy()) for layer in found]

        return from_floats(weights("glance", 2), weights("look", len(_HIDDEN) + 2))

    return OctreeModel({n: network(n) for n in (grades.shape[1] for grades in codebook.grades)}, codebook)


def from_integers(predictor: keras.Model, octree: OctreeModel) -> None:
    """Gives a predictor the weights of a model that codes; undoes `to_integers`, but for the rounding. A predictor for larger
    grids gets those of its coarser levels."""
    for level, network in octree.networks.items():
        for part, layers_of_part in zip(("glance", "look"), to_floats(network), strict=True):
            for index, weights in enumerate(layers_of_part):
                predictor.get_layer(f"{part}_{level}_{index}").set_weights(weights)
