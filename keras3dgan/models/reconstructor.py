"""From pictures to shapes with a trained 3D-VAE-GAN."""

from __future__ import annotations

import functools

import keras
import numpy as np

from keras3dgan.codec.latent.neural import synthesise
from keras3dgan.pictures.framing import on_white

_BATCH = 100


class Reconstructor:
    """Gives the shape that a picture shows.

    Args:
        encoder: pictures to mean and log variance of latents.
        generator: latents to logits.
    """

    def __init__(self, encoder: keras.Model, generator: keras.Model):
        self.encoder = encoder
        self.generator = generator

    @property
    def size(self) -> int:
        """Pixels along an edge of the pictures."""
        return self.encoder.size

    def latents(self, pictures: np.ndarray) -> np.ndarray:
        """Latents float32 (count, k) of framed pictures uint8 (count, s, s, 4)."""
        parts = [self._latents(pictures[start : start + _BATCH]) for start in range(0, len(pictures), _BATCH)]
        return np.concatenate(parts)

    def _latents(self, pictures: np.ndarray) -> np.ndarray:
        return keras.ops.convert_to_numpy(self.encoder(on_white(pictures), training=False)[0])

    def shapes(self, latents: np.ndarray) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of latents (count, k)."""
        return synthesise(functools.partial(self.generator, training=False), latents)

    def reconstruct(self, pictures: np.ndarray) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of framed pictures uint8 (count, s, s, 4)."""
        return self.shapes(self.latents(pictures))
