"""A small octree model for tests: networks of random weights, the same everywhere."""

import itertools

import numpy as np

from keras3dgan.codec.octree import features
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.network import from_floats
from keras3dgan.voxels.shape_set import ShapeSet

_UNITS = (12, 8, 6, 1)


def random_model(shapes: ShapeSet, seed: int = 0) -> OctreeModel:
    """Predicts nothing well, which makes streams long; its prototypes are the first seven shapes, the others it knows."""
    rng = np.random.default_rng(seed)

    def layers(*sizes):
        pairs = itertools.pairwise(sizes)
        return [(rng.normal(0, 0.3, (a, b)), rng.normal(0, 0.1, b)) for a, b in pairs]

    found = {}
    for level in features.levels(shapes.resolution):
        count = features.size(level)
        found[level] = from_floats(layers(count, 8, 1), layers(count, *_UNITS))
    prototypes = [3 * level for level in features.pyramid(shapes.grids(slice(0, 7)))]
    return OctreeModel(found, Codebook(prototypes, shapes.packed[7:]))
