"""How well a classifier tells held-out shapes apart."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.shape_set import ShapeSet

# Quarter turns about z; the twelve of Maturana and Scherer 2015 turn the mesh, a grid would have to be resampled for them.
VOTES = (1, 2, 4)
_BATCH = 100


def classification(classifier: keras.Model, shapes: ShapeSet, votes: int = 1) -> dict[str, Any]:
    """The accuracy of a classifier.

    Args:
        classifier: voxels (batch, n, n, n, 1) to probabilities or logits (batch, classes).
        shapes: to classify; their labels count the classifier's classes.
        votes: positions about z whose mean decides (Maturana and Scherer 2015, section III.D): 1, 2 or 4 quarter turns.

    Returns:
        `accuracy`, `shapes` and `by_class`, the share of each class that is classified right.

    Raises:
        InputError: another number of votes.
    """
    if votes not in VOTES:
        raise InputError(f"must be one of {', '.join(map(str, VOTES))}, got {votes}.", "votes")
    grids = shapes.grids()
    scores: Any = 0
    for turns in range(0, 4, 4 // votes):
        turned = np.ascontiguousarray(np.rot90(grids, turns, (1, 2)))
        scores = scores + classifier.predict(turned[..., None].astype(np.float32), batch_size=_BATCH, verbose=0)
    right = np.asarray(scores).argmax(axis=1) == shapes.labels
    by_class = {
        name: round(float(right[shapes.labels == label].mean()), 4)
        for label, name in enumerate(shapes.class_names)
        if (shapes.labels == label).any()
    }
    return {"accuracy": round(float(right.mean()), 4), "shapes": len(shapes), "by_class": by_class}
