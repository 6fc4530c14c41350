"""Measures a generator while it trains, and keeps the best one."""

from __future__ import annotations

import functools

import keras
import numpy as np

from keras3dgan.codec.latent.neural import synthesise
from keras3dgan.errors import InputError
from keras3dgan.metrics.generation import GenerationProtocol
from keras3dgan.models.voxnet import VoxNet
from keras3dgan.runs import Run
from keras3dgan.training.best_models import BestModels
from keras3dgan.voxels.shape_set import ShapeSet

# What the metrics are called in `metrics.jsonl` and TensorBoard.
PREFIX = "generated_"
_MOST_SHAPES = 200
_BATCH = 50
# Measurements in a row that make a collapse, and by how much a better score says that a generator is still on its way.
_LASTS = 3
_PROGRESS = 0.005


def protocol(train: ShapeSet, reference: ShapeSet, voxnet: VoxNet | None = None) -> GenerationProtocol:
    """The protocol against a held-out set, of which 200 shapes at most are taken.

    Raises:
        InputError: the reference has fewer than two shapes, or VoxNet is of another resolution.
    """
    if len(reference) < 2:
        raise InputError(
            f"generation is measured against two held-out shapes at least, not {len(reference)}; train on more classes, or with "
            "measure_every 0."
        )
    rows = np.sort(np.random.default_rng(0).permutation(len(reference))[:_MOST_SHAPES])
    features = None
    if voxnet is not None:
        if voxnet.resolution != train.resolution:
            raise InputError(f"is for {voxnet.resolution}^3, the shapes are {train.resolution}^3.", "voxnet")
        layer = voxnet.dense_features()

        def features(grids: np.ndarray) -> np.ndarray:
            return layer.predict(grids[..., None].astype(np.float32), batch_size=_BATCH, verbose=0)

    return GenerationProtocol(reference.grids(rows), train.grids(), features)


def latents(count: int, latent_size: int, stddev: float, seed: int | tuple[int, ...]) -> np.ndarray:
    """Latents, the same from the same seed, as every measurement of a run uses its own: float32 (count, latent_size)."""
    return np.random.default_rng(seed).normal(0, stddev, (count, latent_size)).astype(np.float32)


def occupancy(generator: keras.Model, latents: np.ndarray) -> np.ndarray:
    """What a generator makes of latents: float32 (count, n, n, n) in [0, 1]."""
    return synthesise(functools.partial(generator, training=False), latents)


def generate(generator: keras.Model, latents: np.ndarray) -> np.ndarray:
    """The shapes of some latents: uint8 (count, n, n, n)."""
    return (occupancy(generator, latents) > 0.5).astype(np.uint8)


class BestGenerator(BestModels):
    """Measures the generator on fixed latents, keeps that with the best `generated_score`, and tells a collapse in a sentence.

    Args:
        run: where to write.
        protocol: how to measure.
        latents: as many as the protocol measures.
        every, patience: see `BestModels`.
    """

    key = f"{PREFIX}score"
    title = "score"

    def __init__(self, run: Run, protocol: GenerationProtocol, latents: np.ndarray, every: int, patience: int = 0):
        super().__init__(run, every, patience)
        self.protocol = protocol
        self.latents = latents
        self.bad_in_a_row = 0

    def measure(self, epoch: int) -> dict[str, float]:
        measured = self.protocol.measure(generate(self.model.best_generator, self.latents))
        self._warn_of_collapse(epoch, measured)
        return {PREFIX + name: value for name, value in measured.items()}

    def models(self) -> dict[str, keras.Model]:
        return {"generator": self.model.best_generator}

    def result(self) -> dict[str, float]:
        """The epoch of the generator that was kept, and its metrics without `PREFIX`."""
        measured = {name.removeprefix(PREFIX): value for name, value in self.best.items() if name.startswith(PREFIX)}
        return {"epoch": self.best["epoch"], **measured}

    def _warn_of_collapse(self, epoch: int, measured: dict[str, float]) -> None:
        # The first samples of every training are no shapes yet; only what lasts and gets no better is a collapse.
        reason = None if self.is_better(measured["score"], by=_PROGRESS) else self.protocol.collapse(measured)
        self.bad_in_a_row = self.bad_in_a_row + 1 if reason else 0
        if self.bad_in_a_row == _LASTS:
            print(f"\n{self.run.path}: the generator has collapsed at epoch {epoch}: {reason}.", flush=True)
