"""How close a reconstruction comes to the original."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras3dgan")
class MeanIoU(keras.metrics.Mean):
    """Mean over shapes of the intersection over union; `voxels.grid.iou` as a Keras metric. Inputs are occupancies in [0, 1].

    Example:
        >>> metric = MeanIoU()
        >>> metric.update_state([[[[[1.0], [0.0]]]]], [[[[[0.9], [0.6]]]]])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, threshold: float = 0.5, name: str = "iou", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        count = ops.shape(y_true)[0]
        a = ops.cast(ops.reshape(y_true, (count, -1)) > self.threshold, "float32")
        b = ops.cast(ops.reshape(y_pred, (count, -1)) > self.threshold, "float32")
        intersection = ops.sum(a * b, axis=1)
        union = ops.sum(a, axis=1) + ops.sum(b, axis=1) - intersection
        value = ops.where(union > 0, intersection / ops.maximum(union, 1.0), 1.0)
        return super().update_state(value, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}
