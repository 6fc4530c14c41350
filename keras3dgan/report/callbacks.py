"""Pictures of samples while a model trains."""

import keras
import numpy as np

from keras3dgan.report import figures
from keras3dgan.training.run_directory import RunDirectory

_COLUMNS, _ROWS = 8, 2


class SamplePictures(keras.callbacks.Callback):
    """Draws a fixed batch after every few epochs into `samples/epoch-<n>.png`.

    Args:
        run: where to write.
        every: epochs between pictures; the last epoch is always drawn, 0 draws no other.
        inputs: what the model is called with, (16, ...); for a GAN the fixed latents, for a compressor voxels, which
            are drawn above their reconstructions.
        beside: whether to draw the inputs too.
    """

    def __init__(self, run: RunDirectory, every: int, inputs: np.ndarray, beside: bool = False):
        super().__init__()
        self.run = run
        self.every = every
        self.inputs = inputs
        self.beside = beside

    @classmethod
    def of_latents(cls, run: RunDirectory, every: int, latent_size: int, stddev: float, seed: int):
        """For a GAN: latents drawn once from N(0, stddev^2)."""
        latents = np.random.default_rng(seed).normal(0, stddev, (_COLUMNS * _ROWS, latent_size))
        return cls(run, every, latents.astype(np.float32))

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 != self.params["epochs"] and (self.every == 0 or (epoch + 1) % self.every):
            return
        occupancy = np.asarray(self.model(self.inputs, training=False))[..., 0]
        if self.beside:
            rows = [self.inputs[:_COLUMNS, ..., 0], occupancy[:_COLUMNS]]
        else:
            rows = [occupancy[:_COLUMNS], occupancy[_COLUMNS:]]
        figures.save(figures.shapes(rows), self.run.samples / f"epoch-{epoch + 1:05d}.png")
