"""How close a reconstruction comes to the original."""

import keras
import numpy as np
from keras import ops


def iou(original: np.ndarray, reconstruction: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Intersection over union of each shape.

    Args:
        original: (batch, ...) in [0, 1].
        reconstruction: the same shape.
        threshold: above it a voxel is occupied.

    Returns:
        float64 (batch,) in [0, 1]; 1 where both are empty.
    """
    a = np.asarray(original).reshape(len(original), -1) > threshold
    b = np.asarray(reconstruction).reshape(len(reconstruction), -1) > threshold
    union = (a | b).sum(axis=1)
    return np.where(union == 0, 1.0, (a & b).sum(axis=1) / np.maximum(union, 1))


@keras.saving.register_keras_serializable(package="keras3dgan")
class MeanIoU(keras.metrics.Mean):
    """Mean over shapes of the intersection over union; `iou` as a Keras metric. Inputs are occupancies in [0, 1]."""

    def __init__(self, threshold=0.5, name="iou", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        count = ops.shape(y_true)[0]
        a = ops.cast(ops.reshape(y_true, (count, -1)) > self.threshold, "float32")
        b = ops.cast(ops.reshape(y_pred, (count, -1)) > self.threshold, "float32")
        intersection = ops.sum(a * b, axis=1)
        union = ops.sum(a, axis=1) + ops.sum(b, axis=1) - intersection
        value = ops.where(union > 0, intersection / ops.maximum(union, 1.0), 1.0)
        return super().update_state(value, sample_weight)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}
