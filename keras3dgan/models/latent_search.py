"""Latents found for one shape by gradient descent, in place of those that an encoder guesses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras3dgan import backend, losses

if TYPE_CHECKING:
    from keras3dgan.codec.latent.entropy_coder import EntropyCoder

# Of Adam at the start, in quantisation steps; it falls to zero along half a cosine.
_LEARNING_RATE = 0.7
# What a byte may cost of IoU.
_BYTE = 0.001


class LatentSearch:
    """Betters the latents of shapes by some steps of Adam on 1 - IoU (Rahman and Wang 2016) and on the bytes they take.

    An encoder serves all shapes alike; the latents that serve one of them best are near to what it gives (semi-amortised
    inference, Kim et al. 2018; for compression Campos et al. 2019). The bytes are those of normal distributions with the
    moments of the coder's tables. Each shape is searched by itself, whatever the others are.

    Args:
        decoder: latents (batch, k) to logits (batch, n, n, n, 1).
        coder: of the latents; what a step is, and what latents are like.
        steps: how many.

    Example:
        >>> from keras3dgan.recipes import load_codec
        >>> codec = load_codec("compressor_furniture_32")
        >>> search = LatentSearch(codec.decoder, codec.coder, steps=3)
        >>> grids = np.ones((2, 32, 32, 32), np.uint8)
        >>> search(grids, codec.analyse(grids)).shape
        (2, 100)
    """

    def __init__(self, decoder: keras.Model, coder: EntropyCoder, steps: int):
        self._steps = steps
        self._step = float(coder.step)
        self._mean, self._deviation = coder.moments()
        self._decoder = decoder
        self._gradients = backend.compiled(self._gradients_of)

    def __call__(self, grids: np.ndarray, latents: np.ndarray) -> np.ndarray:
        """Better latents float32 (count, k).

        Args:
            grids: (count, n, n, n) of zeros and ones.
            latents: (count, k), where to begin.
        """
        voxels = keras.ops.convert_to_tensor(np.asarray(grids, np.float32)[..., None])
        found = keras.Variable(latents, dtype="float32")
        falling = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE * self._step, self._steps)
        optimizer = keras.optimizers.Adam(falling, beta_2=0.99)
        for _ in range(self._steps):
            optimizer.apply([self._gradients(found.value, voxels)], [found])
        return keras.ops.convert_to_numpy(found.value)

    def _gradients_of(self, latents: Any, voxels: Any) -> Any:
        return backend.input_gradients(lambda chosen: self._loss(chosen, voxels), latents)

    def _loss(self, latents: Any, voxels: Any) -> Any:
        """Of each shape (batch,)."""
        squares = keras.ops.square((latents - self._mean) / self._deviation)
        size = keras.ops.sum(squares, axis=1) / (2 * math.log(2) * 8)
        return losses.soft_jaccard_distance(self._decoder(latents, training=False), voxels) + _BYTE * size
