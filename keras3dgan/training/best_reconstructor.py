"""Measures reconstructions while a 3D-VAE-GAN trains, and keeps the best models."""

from __future__ import annotations

import math

import keras
import numpy as np

from keras3dgan.models.reconstructor import Reconstructor
from keras3dgan.pictures.picture_set import PictureSet
from keras3dgan.runs import Run
from keras3dgan.training.averaging import averaged
from keras3dgan.training.best_models import BestModels
from keras3dgan.voxels.grid import best_threshold, iou

# Validation shapes that are measured on.
_MEASURED = 200


class BestReconstructor(BestModels):
    """Measures reconstructions of validation shapes, and keeps the encoder and generator with the best mean IoU.

    Logits of the generator that is kept are shifted so that an occupancy of 0.5 is the best threshold for these shapes: a
    network that is not sure of a thin leg gives it less, and would leave it out.

    Args:
        run: where to write.
        pictures: validation shapes, of which each is shown in one view.
        every, patience: see `BestModels`.
    """

    key = "val_iou"
    title = "IoU"
    higher_is_better = True

    def __init__(self, run: Run, pictures: PictureSet, every: int, patience: int = 0):
        super().__init__(run, every, patience)
        rng = np.random.default_rng(0)
        rows = np.sort(rng.permutation(len(pictures))[:_MEASURED])
        self.grids = pictures.shapes.grids(rows)
        self.pictures = pictures.views[rows, rng.integers(pictures.views.shape[1], size=len(rows))]

    def measure(self, epoch: int) -> dict[str, float]:
        with averaged(self.model):
            restored = Reconstructor(self.model.encoder, self.model.best_generator).reconstruct(self.pictures)
        threshold = best_threshold(self.grids, restored)
        return {self.key: float(iou(self.grids, restored, threshold).mean()), "val_threshold": threshold}

    def models(self) -> dict[str, keras.Model]:
        threshold = self.best["val_threshold"]
        shift = -math.log(threshold / (1 - threshold))
        with averaged(self.model):
            return {"picture_encoder": self.model.encoder.copy(), "generator": self.model.best_generator.shifted(shift)}

    def result(self) -> dict[str, float]:
        """The epoch of the models that were kept, their mean IoU, and the threshold that became 0.5."""
        return {name: self.best[name] for name in ("epoch", self.key, "val_threshold")}
