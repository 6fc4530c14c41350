"""A trained encoder and decoder as a codec: grids to bytes and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from keras3dgan.codec.goals import Goal
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.codec.latent.latent_codec import LatentCodec

if TYPE_CHECKING:
    import keras

_BATCH = 100


class NeuralCodec(LatentCodec):
    """Compresses grids to `.g3c` streams by an encoder, and restores them by a decoder.

    Args:
        encoder: voxels (batch, n, n, n, 1) to latents.
        decoder: latents to logits.
        coders: of the latents, `fitting.fit_coders`'s.
        goal: what `encode` is to reach.
        search: betters latents (count, k) for grids (count, n, n, n); default: they stay as the encoder gives them.

    Example:
        >>> from keras3dgan.recipes import load_codec
        >>> codec = load_codec("compressor_furniture_32")
        >>> type(codec).__name__, codec.decode(codec.encode(np.ones((1, 32, 32, 32), np.uint8))).shape
        ('NeuralCodec', (1, 32, 32, 32))
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        coders: list[EntropyCoder],
        goal: Goal = Goal(),
        search: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    ):
        self.encoder = encoder
        self.decoder = decoder
        self.coders = coders
        self.goal = goal
        self._search = search

    def analyse(self, grids: np.ndarray) -> np.ndarray:
        latents = analyse(self.encoder.predict_on_batch, grids)
        return latents if self._search is None else _in_batches(self._search, grids, latents)

    def synthesise(self, latents: np.ndarray) -> np.ndarray:
        return synthesise(self.decoder.predict_on_batch, latents)


def analyse(encoder: Callable[[np.ndarray], Any], grids: np.ndarray) -> np.ndarray:
    """Latents (count, k) that an encoder gives for grids (count, n, n, n) of zeros and ones."""
    return _in_batches(encoder, np.asarray(grids, np.float32)[..., None])


def synthesise(decoder: Callable[[np.ndarray], Any], latents: np.ndarray) -> np.ndarray:
    """Occupancy float32 (count, n, n, n) that a decoder gives for latents (count, k), or a like model for its inputs."""
    logits = _in_batches(decoder, latents)[..., 0]
    return 1 / (1 + np.exp(-np.clip(logits, -60, 60)))


def _in_batches(model: Callable[..., Any], *inputs: np.ndarray) -> np.ndarray:
    starts = range(0, len(inputs[0]), _BATCH)
    parts = [model(*(array[start : start + _BATCH] for array in inputs)) for start in starts]
    return np.concatenate([np.asarray(part) for part in parts])
