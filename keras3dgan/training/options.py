"""What a training needs besides its settings."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras3dgan.training.settings import Settings
from keras3dgan.voxels.shape_set import ShapeSet

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Samples:
    """Shapes to draw while a model trains, a row of eight of each kind.

    Attributes:
        rows: title -> grids (count, n, n, n) in [0, 1], or pictures (count, height, width, 3) in [0, 1].
        threshold: above it a voxel is occupied.
    """

    rows: dict[str, np.ndarray]
    threshold: float = 0.5


@dataclasses.dataclass(frozen=True)
class Options:
    """What the outcome of a training does not depend on.

    Attributes:
        data_dir: where TFDS keeps prepared data sets; default: its own.
        manual_dir: where the source of a data set lies that must be fetched by hand.
        checkpoint_seconds: training time that a kill may cost at most, in whole epochs.
        samples_every: epochs between pictures of samples; 0: only after the last.
        draw: writes samples as a PNG; default: none are drawn.
        callbacks: further Keras callbacks.

    Example:
        >>> from keras3dgan.recipes import recipe
        >>> settings = recipe("voxnet").make_settings("test")
        >>> len(Options(samples_every=0).load(settings, "test"))
        162
    """

    data_dir: str | None = None
    manual_dir: str | None = None
    checkpoint_seconds: float = 60.0
    samples_every: int = 10
    draw: Callable[[Samples, pathlib.Path], Any] | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()

    def load(self, settings: Settings, split: str) -> ShapeSet:
        """The shapes of a split that these settings ask for."""
        from keras3dgan import data  # here: it imports TensorFlow

        source = (settings.dataset, split, settings.classes, settings.resolution)
        return data.load(*source, self.data_dir, self.manual_dir)
