import keras
import numpy as np

from keras3dgan.metrics.reconstruction import MeanIoU
from keras3dgan.voxels.grid import iou


def _pairs():
    a, b = np.zeros((4, 2, 2, 2)), np.zeros((4, 2, 2, 2))
    a[0] = b[0] = 1  # equal: 1
    a[1, 0], b[1, :, 0] = 0.9, 0.6  # 4 and 4 voxels, 2 in common: 1/3
    a[2, 0], b[2, 1] = 1, 1  # disjoint: 0
    b[3] = 0.4  # both empty: 1
    return a, b


def test_iou_by_hand():
    np.testing.assert_allclose(iou(*_pairs()), [1, 1 / 3, 0, 1])


def test_the_keras_metric_agrees_and_survives_its_config():
    metric = keras.metrics.deserialize(keras.metrics.serialize(MeanIoU()))
    a, b = _pairs()
    metric.update_state(a[:3, ..., None].astype("float32"), b[:3, ..., None].astype("float32"))
    metric.update_state(a[3:, ..., None].astype("float32"), b[3:, ..., None].astype("float32"))
    np.testing.assert_allclose(float(metric.result()), (1 + 1 / 3 + 0 + 1) / 4, rtol=1e-6)
