"""Random numbers for training steps, the same for a batch on any number of devices."""

from collections.abc import Sequence
from typing import Any

import keras

from keras3dgan.backend import own_rows, replicas


class Noise:
    """For models with a `keras.random.SeedGenerator` called `random`, whose state a checkpoint then holds.

    Numbers are drawn for the batch of all replicas, of which each takes its rows.
    """

    random: keras.random.SeedGenerator

    def random_normal(self, count: Any, shape: Sequence[int], stddev: float) -> Any:
        """Draws (count, *shape) from N(0, stddev^2), other numbers on every replica."""
        drawn = keras.random.normal((count * replicas(), *shape), stddev=stddev, seed=self.random)
        return own_rows(drawn, count)

    def random_uniform(self, count: Any, shape: Sequence[int], low: float, high: float) -> Any:
        """Draws (count, *shape) uniformly from [low, high), other numbers on every replica; of no count (*shape), the same."""
        if count is None:
            return keras.random.uniform(shape, low, high, seed=self.random)
        return own_rows(keras.random.uniform((count * replicas(), *shape), low, high, seed=self.random), count)
