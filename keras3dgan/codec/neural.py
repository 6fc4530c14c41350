"""A trained encoder and decoder as a codec: grids to bytes and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras3dgan.codec.container import FINGERPRINT_BYTES, CompressedShape
from keras3dgan.errors import InputError

if TYPE_CHECKING:
    import keras

_BATCH = 100


class NeuralCodec:
    """Compresses grids to `.g3c` streams by an encoder, and restores them by a decoder.

    Args:
        encoder: voxels (batch, n, n, n, 1) to latents.
        decoder: latents to logits.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model):
        from keras3dgan.models.fingerprint import fingerprint

        self.encoder = encoder
        self.decoder = decoder
        self.resolution: int = decoder.resolution
        self.fingerprint = fingerprint(decoder)[:FINGERPRINT_BYTES]

    @classmethod
    def load(cls, path: str) -> NeuralCodec:
        """Loads the codec that a run of `train_compressor` or `train_autoencoder` has trained.

        Args:
            path: the run directory.

        Raises:
            InputError: no such run, or nothing trained in it yet.
        """
        from keras3dgan.training.run_directory import RunDirectory

        run = RunDirectory(path)
        kind = run.config()["kind"]
        if kind not in ("compressor", "autoencoder"):
            raise InputError(f"--model: {path} is a run of kind '{kind}'; give one of train_compressor.")
        return cls(run.load_model("encoder"), run.load_model("decoder"))

    def encode(self, grids: np.ndarray) -> list[bytes]:
        """Compresses grids.

        Args:
            grids: (count, n, n, n) of zeros and ones, n as the model's.

        Returns:
            One `.g3c` stream for each.
        """
        if grids.ndim != 4 or grids.shape[1:] != (self.resolution,) * 3:
            raise ValueError(f"expected grids (count, {self.resolution}^3), got shape {grids.shape}")
        latents = _in_batches(self.encoder, np.asarray(grids, np.float32)[..., None])
        return [CompressedShape(self.fingerprint, self.resolution, row).to_bytes() for row in latents]

    def decode(self, streams: Sequence[bytes], names: Sequence[str] | None = None) -> np.ndarray:
        """Restores shapes.

        Args:
            streams: contents of `.g3c` files.
            names: what to call them in error messages.

        Returns:
            float32 occupancy (count, n, n, n) in [0, 1]; above 0.5 a voxel is occupied.

        Raises:
            InputError: a stream is damaged, or was written by another model.
        """
        names = names or [f"stream {index}" for index in range(len(streams))]
        shapes = [CompressedShape.from_bytes(content, name) for content, name in zip(streams, names, strict=True)]
        for shape, name in zip(shapes, names, strict=True):
            if shape.fingerprint != self.fingerprint:
                raise InputError(
                    f"{name}: written by model {shape.fingerprint.hex()}, this is {self.fingerprint.hex()}; "
                    "name the run of that model with --model."
                )
            if shape.resolution != self.resolution or len(shape.latents) != self.decoder.latent_size:
                raise InputError(f"{name}: its sizes are not those of its model; compress the shape again.")
        latents = np.array([shape.latents for shape in shapes], np.float32).reshape(len(shapes), -1)
        logits = _in_batches(self.decoder, latents)
        return 1 / (1 + np.exp(-np.clip(logits[..., 0], -60, 60)))


def _in_batches(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    parts = [model.predict_on_batch(inputs[i : i + _BATCH]) for i in range(0, len(inputs), _BATCH)]
    return np.concatenate([np.asarray(part) for part in parts])
