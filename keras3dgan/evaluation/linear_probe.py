"""The test of what a discriminator has learnt without labels: a linear classifier on its features (Wu et al. 2016, 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from keras3dgan.models.discriminator import Discriminator
from keras3dgan.voxels.shape_set import ShapeSet

_PENALTIES = (0.0001, 0.0003, 0.001, 0.003, 0.01)
_BATCH = 100


def classify(
    features: Callable[[np.ndarray], np.ndarray], train: ShapeSet, validation: ShapeSet, test: ShapeSet
) -> dict[str, Any]:
    """Accuracy of a linear SVM on features; its C is the best of five on the validation shapes.

    Args:
        features: grids uint8 (count, n, n, n) -> (count, f).
        train: shapes to fit on.
        validation: shapes to choose C by.
        test: shapes to measure on.

    Returns:
        `test_accuracy`, `validation_accuracy`, `C` and the number of `features`.
    """
    x_train, x_validation, x_test = (features(shapes.grids()) for shapes in (train, validation, test))
    fitted = {}
    for penalty in _PENALTIES:
        machine = make_pipeline(StandardScaler(), SVC(C=penalty, kernel="linear"))
        fitted[penalty] = machine.fit(x_train, train.labels)
    best = max(fitted, key=lambda penalty: fitted[penalty].score(x_validation, validation.labels))
    return {
        "test_accuracy": round(float(fitted[best].score(x_test, test.labels)), 4),
        "validation_accuracy": round(float(fitted[best].score(x_validation, validation.labels)), 4),
        "C": best,
        "features": x_train.shape[1],
    }


def discriminator_features(discriminator: Discriminator) -> Callable[[np.ndarray], np.ndarray]:
    """The features of a discriminator as `classify` takes them."""
    model = discriminator.features()
    return lambda grids: model.predict(grids[..., None].astype(np.float32), batch_size=_BATCH, verbose=0)
