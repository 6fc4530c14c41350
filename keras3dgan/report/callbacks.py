"""Pictures of samples while a model trains."""

import keras
import numpy as np

from keras3dgan.pictures.framing import on_white
from keras3dgan.pictures.reconstructor import Reconstructor
from keras3dgan.report import figures
from keras3dgan.training.callbacks import Periodic
from keras3dgan.training.run_directory import RunDirectory

_COLUMNS, _ROWS = 8, 2


class ReconstructionPictures(Periodic):
    """Draws views, what a 3D-VAE-GAN makes of them, and the shapes they show, as `samples/epoch-<n>.png`.

    Args:
        run: where to write.
        every: epochs between pictures; the last epoch is always drawn, 0 draws no other.
        views: framed, uint8 (count, s, s, 4).
        grids: of the same shapes, (count, n, n, n).
    """

    def __init__(self, run: RunDirectory, every: int, views: np.ndarray, grids: np.ndarray):
        super().__init__(run, every)
        self.views = views[:_COLUMNS]
        self.grids = grids[:_COLUMNS]

    def on_epoch_end(self, epoch, logs=None):
        if not self.is_due(epoch) or not self.run.writes:
            return
        restored = Reconstructor(self.model.encoder, self.model.best_generator).reconstruct(self.views)
        rows, titles = [on_white(self.views), restored, self.grids], ("view", "reconstruction", "shape")
        threshold = (logs or {}).get("val_threshold", 0.5)  # where this epoch has been measured
        figures.save(figures.shapes(rows, titles, threshold=threshold), self.run.samples / f"epoch-{epoch + 1:05d}.png")


class SamplePictures(Periodic):
    """Draws what a 3D-GAN makes of a fixed batch of latents after every few epochs, as `samples/epoch-<n>.png`.

    Args:
        run: where to write.
        every: epochs between pictures; the last epoch is always drawn, 0 draws no other.
        latent_size: length of the latent vectors.
        stddev: of the latents.
        seed: of the latents.
    """

    def __init__(self, run: RunDirectory, every: int, latent_size: int, stddev: float, seed: int):
        super().__init__(run, every)
        latents = np.random.default_rng(seed).normal(0, stddev, (_COLUMNS * _ROWS, latent_size))
        self.latents = latents.astype(np.float32)

    def on_epoch_end(self, epoch, logs=None):
        if not self.is_due(epoch) or not self.run.writes:
            return
        logits = keras.ops.convert_to_numpy(self.model.best_generator(self.latents, training=False))[..., 0]
        occupancy = 1 / (1 + np.exp(-logits))
        figure = figures.shapes(np.split(occupancy, _ROWS))
        figures.save(figure, self.run.samples / f"epoch-{epoch + 1:05d}.png")
