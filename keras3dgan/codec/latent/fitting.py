"""How coarsely latents may be quantised, and the tables that code them, found on shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.voxels.grid import iou
from keras3dgan.voxels.shape_set import ShapeSet

# What quantisation may cost where no step is given: mean IoU on validation shapes.
TOLERANCE = 0.005
# Quantisation steps of one model, in multiples of its first.
FACTORS = (1.0, 2.0, 4.0, 8.0)
_CHUNK = 500
# At most so many shapes are measured on.
_MEASURED = 300


def fit_coders(
    analyse: Callable[[np.ndarray], np.ndarray],
    synthesise: Callable[[np.ndarray], np.ndarray],
    train: ShapeSet,
    validation: ShapeSet,
    decoder: bytes,
    step: float = 0.0,
    factors: Sequence[float] = FACTORS,
) -> list[EntropyCoder]:
    """The coders of a model's latents: one for each of several rates.

    Args:
        analyse: grids (count, n, n, n) to latents (count, k).
        synthesise: latents to occupancy.
        train: shapes whose latents make the tables.
        validation: shapes that tell what a step costs; the training shapes where it is empty.
        decoder: what names the decoder, of any length.
        step: quantisation step; 0 for the coarsest, in factors of the square root of 2, that costs at most 0.005 of mean IoU.
        factors: the coders' steps in multiples of `step`.
    """
    latents = _latents(analyse, train)
    if not step:
        step = _coarsest(analyse, synthesise, validation if len(validation) else train, float(latents.std()) or 1.0)
    return [EntropyCoder.fit(latents, factor * step, train.resolution, decoder) for factor in factors]


def _latents(analyse: Callable[[np.ndarray], np.ndarray], shapes: ShapeSet) -> np.ndarray:
    starts = range(0, len(shapes), _CHUNK)
    return np.concatenate([analyse(shapes.grids(slice(start, start + _CHUNK))) for start in starts])


def _coarsest(
    analyse: Callable[[np.ndarray], np.ndarray],
    synthesise: Callable[[np.ndarray], np.ndarray],
    shapes: ShapeSet,
    deviation: float,
) -> float:
    """The step that is wanted, from four standard deviations of the latents downwards."""
    grids = shapes.grids(slice(0, _MEASURED))
    latents = analyse(grids)
    wanted = iou(grids, synthesise(latents)).mean() - TOLERANCE
    step = 4 * deviation
    while step > deviation / 64:
        if iou(grids, synthesise((np.rint(latents / step) * step).astype(np.float32))).mean() >= wanted:
            break
        step /= 2**0.5
    return step
