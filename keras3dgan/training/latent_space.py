"""The latents that an autoencoder gives for training shapes, as a GAN learns them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tqdm

from keras3dgan import data, models
from keras3dgan.augmentation import augmented
from keras3dgan.codec.latent.neural import NeuralCodec
from keras3dgan.runs import Run
from keras3dgan.voxels.shape_set import ShapeSet

_BATCH = 100


class LatentSpace:
    """Latents of augmented shapes, of zero mean and, taken together, unit variance.

    Args:
        codec: the autoencoder.
        latents: float32 (copies * shapes, k), as its encoder gives them.
        copies: how often each shape is among them.
    """

    def __init__(self, codec: NeuralCodec, latents: np.ndarray, copies: int):
        self._decoder = codec.decoder
        self._copies = copies
        self._mean = latents.mean(axis=0)
        self._scale = float(np.sqrt(((latents - self._mean) ** 2).mean())) or 1.0
        self._vectors = (latents - self._mean) / self._scale

    @classmethod
    def of(
        cls, codec: NeuralCodec, shapes: ShapeSet, augmentation: str, copies: int, seed: int, run: Run
    ) -> LatentSpace:
        """The latents of so many augmented copies of each shape, the same from the same seed; kept in the run."""
        latents = run.kept("latents", lambda: latents_of(codec, augmented(shapes, augmentation, copies, seed)))
        return cls(codec, latents, copies)

    @property
    def latent_size(self) -> int:
        """k."""
        return len(self._mean)

    def generator(self, mapping: keras.Model) -> models.LatentGenerator:
        """What draws shapes, with a mapping of noise to these latents."""
        return models.LatentGenerator(mapping, self._decoder, self._scale, self._mean.tolist())

    def shapes(self, shapes: ShapeSet) -> ShapeSet:
        """The shapes whose latents these are: each as often as it was augmented."""
        return shapes.take(np.tile(np.arange(len(shapes)), self._copies))

    def batches(self, batch_size: int, seed: int) -> Callable[[int], Any]:
        """Gives the batches of latents from a step on."""
        return functools.partial(data.vector_batches, self._vectors, batch_size, seed)


def latents_of(codec: NeuralCodec, shapes: ShapeSet, mirrored: bool = False) -> np.ndarray:
    """The latents float32 (count, k) that an autoencoder gives for shapes, or for their mirror images in x."""
    found = []
    for start in tqdm.tqdm(range(0, len(shapes), _BATCH), desc="latents", disable=None):
        grids = shapes.grids(slice(start, start + _BATCH))
        found.append(codec.analyse(np.flip(grids, 1) if mirrored else grids))
    return np.concatenate(found).astype(np.float32)
