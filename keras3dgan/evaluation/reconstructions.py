"""Measures shapes made of pictures, beside two baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skimage.feature import hog
from sklearn.metrics import average_precision_score

from keras3dgan.pictures.framing import on_white
from keras3dgan.pictures.picture_set import PictureSet
from keras3dgan.voxels.grid import best_threshold, iou
from keras3dgan.voxels.shape_set import ShapeSet

_CHUNK = 200

# Framed pictures uint8 (count, s, s, 4) and the labels of their shapes -> occupancy (count, n, n, n).
Method = Callable[[np.ndarray, np.ndarray], np.ndarray]


class NearestShape:
    """The training shape whose view has the most similar histograms of oriented gradients (Dalal and Triggs 2005).

    Args:
        train: the training shapes and their views.

    Example:
        >>> from keras3dgan import data
        >>> shapes = data.load("furniture_voxels", "validation")
        >>> views = np.random.default_rng(0).integers(0, 256, (len(shapes), 1, 64, 64, 4), np.uint8)
        >>> nearest = NearestShape(PictureSet(shapes, views))
        >>> bool((nearest(views[:2, 0], shapes.labels[:2]) == shapes.grids(slice(2))).all())
        True
    """

    def __init__(self, train: PictureSet):
        self._shapes = train.shapes
        self._per_shape = train.views.shape[1]
        self._features = _features(train.views.reshape(-1, *train.views.shape[2:]))
        self._squares = (self._features**2).sum(axis=1)

    def __call__(self, pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The method."""
        del labels
        rows = []
        for start in range(0, len(pictures), _CHUNK):
            wanted = _features(pictures[start : start + _CHUNK])
            rows.append((self._squares - 2 * wanted @ self._features.T).argmin(axis=1) // self._per_shape)
        return self._shapes.grids(np.concatenate(rows)).astype(np.float32)


class MeanShape:
    """The mean of the training shapes of the class, which is given, scaled so that 0.5 is the best threshold.

    Args:
        train: the training shapes.
        validation: shapes that tell the threshold.

    Example:
        >>> from keras3dgan import data
        >>> train, validation = (data.load("furniture_voxels", split) for split in ("train", "validation"))
        >>> mean = MeanShape(train, validation)
        >>> mean(np.zeros((2, 64, 64, 4), np.uint8), np.array([0, 1])).shape
        (2, 32, 32, 32)
    """

    def __init__(self, train: ShapeSet, validation: ShapeSet):
        grids = train.grids()
        classes = range(len(train.class_names))
        whole = grids.mean(axis=0, dtype=np.float32)
        self._means = np.stack(
            [
                grids[train.labels == c].mean(axis=0, dtype=np.float32) if (train.labels == c).any() else whole
                for c in classes
            ]
        )
        best = best_threshold(validation.grids(), self._means[validation.labels])
        self._means = np.where(self._means > best, 0.5 + (self._means - best) / 2, self._means * 0.5 / best)

    def __call__(self, pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The method."""
        del pictures
        return self._means[labels]


def _features(pictures: np.ndarray) -> np.ndarray:
    cell = pictures.shape[1] // 8
    return np.stack(
        [
            hog(on_white(p), 9, (cell, cell), (2, 2), channel_axis=-1, feature_vector=True).astype(np.float32)
            for p in pictures
        ]
    )


def evaluate(method: Method, pictures: PictureSet) -> dict[str, Any]:
    """Measures a method on shapes it has never seen.

    Args:
        method: what makes shapes of pictures.
        pictures: the shapes and their views.

    Returns:
        `iou` and `average_precision` from one view, each view in turn, and `iou_all_views` and `average_precision_all_views`
        from the mean of the occupancies that all views of a shape give: means over shapes; and the same `by_class`.
    """
    count, views = pictures.views.shape[:2]
    rows = []
    for row in range(count):
        grid = pictures.shapes.grids(slice(row, row + 1))
        made = method(pictures.views[row], np.repeat(pictures.shapes.labels[row], views))
        mean = made.mean(axis=0, keepdims=True)
        rows.append(
            (
                iou(np.repeat(grid, views, axis=0), made).mean(),
                np.mean([_precision(grid[0], one) for one in made]),
                iou(grid, mean)[0],
                _precision(grid[0], mean[0]),
            )
        )
    values = np.array(rows)
    labels = pictures.shapes.labels
    by_class = {
        name: _row(values[labels == label])
        for label, name in enumerate(pictures.shapes.class_names)
        if (labels == label).any()
    }
    return {**_row(values), "by_class": by_class}


def _row(values: np.ndarray) -> dict[str, Any]:
    names = ("iou", "average_precision", "iou_all_views", "average_precision_all_views")
    means = values.mean(axis=0)
    return {"shapes": len(values), **{n: round(float(v), 4) for n, v in zip(names, means, strict=True)}}


def _precision(grid: np.ndarray, occupancy: np.ndarray) -> float:
    return float(average_precision_score(grid.reshape(-1), occupancy.reshape(-1)))


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The measurements as lines of text."""
    width = max(map(len, rows))
    lines = [f"{'':{width}}  {'IoU, 1 view':>11}  {'AP, 1 view':>10}  {'IoU, all':>8}  {'AP, all':>7}"]
    for name, row in rows.items():
        lines.append(
            f"{name:{width}}  {row['iou']:11.3f}  {row['average_precision']:10.3f}  {row['iou_all_views']:8.3f}  "
            f"{row['average_precision_all_views']:7.3f}"
        )
    return "\n".join(lines)
