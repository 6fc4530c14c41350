"""VoxNet, the classifier whose features make the perceptual loss."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras3dgan.backend import replicas
from keras3dgan.models import block_convolutions as on_blocks
from keras3dgan.models import blocks

LEAK = 0.1
_BATCH = 100


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxNet(blocks.Network):
    """Voxels to class probabilities (Maturana and Scherer 2015; the report, section 3.3.1).

    convolution 32 filters 5^3 stride 2 -> convolution 32 filters 3^3 -> max pooling 2 -> dense 128 -> softmax, with
    VoxNet's own leaky ReLU (0.1) and dropout (0.2, 0.3, 0.4). With `residual_blocks`, that many blocks of two more convolutions
    follow the pooling (He et al. 2016): the "deeper classifier" of the report's conclusion.

    Input: float (batch, n, n, n, 1) in [0, 1]. Output: probabilities (batch, num_classes).

    Args:
        num_classes: number of classes; the report has 5.
        resolution: n.
        filters: channels of all convolutions.
        residual_blocks: how many; 0 is VoxNet.

    Example:
        >>> voxnet = VoxNet.from_preset("voxnet_10_32")
        >>> tuple(voxnet(np.zeros((2, 32, 32, 32, 1))).shape)
        (2, 10)
    """

    def __init__(
        self, num_classes: int = 5, resolution: int = 32, filters: int = 32, residual_blocks: int = 0, **kwargs: Any
    ):
        voxels = keras.Input((resolution,) * 3 + (1,), name="voxels")
        x = on_blocks.Conv3D(filters, 5, strides=2, kernel_initializer="he_normal", name="conv1")(voxels)
        x = layers.LeakyReLU(negative_slope=LEAK, name="act1")(x)
        x = layers.Dropout(0.2, name="drop1")(x)
        x = layers.Conv3D(filters, 3, kernel_initializer="he_normal", name="conv2")(x)
        x = layers.LeakyReLU(negative_slope=LEAK, name="act2")(x)
        x = layers.MaxPooling3D(2, name="pool")(x)
        x = blocks.residual_stage(x, residual_blocks, "block")
        x = layers.Dropout(0.3, name="drop2")(x)
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(128, activation="relu", name="dense")(x)
        x = layers.Dropout(0.4, name="drop3")(x)
        probabilities = layers.Dense(num_classes, activation="softmax", dtype="float32", name="probabilities")(x)
        kwargs.setdefault("name", "voxnet")
        arguments = {
            "num_classes": num_classes,
            "resolution": resolution,
            "filters": filters,
            "residual_blocks": residual_blocks,
        }
        super().__init__(voxels, probabilities, arguments, **kwargs)
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Cross entropy of the class numbers `y`, (batch,)."""
        del x, sample_weight, training
        self.accuracy.update_state(y, y_pred)
        # The replicas' gradients are added up, and Keras undoes this division where it reports the loss.
        return ops.mean(keras.losses.sparse_categorical_crossentropy(y, y_pred)) / replicas()

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        return self.get_metrics_result()

    def classify(self, grids: np.ndarray) -> np.ndarray:
        """The most likely class of each grid (count, n, n, n): int64 (count,)."""
        batches = (grids[i : i + _BATCH, ..., None] for i in range(0, len(grids), _BATCH))
        found = [self(batch.astype(np.float32), training=False) for batch in batches]
        return np.concatenate([ops.convert_to_numpy(each).argmax(axis=1) for each in found])

    def perceptual_features(self) -> keras.Model:
        """A model that shares these weights and gives what the perceptual loss compares, (batch, m, m, m, filters).

        The report compares "the output of the second convolutional layer": taken is the linear output, before its
        leaky ReLU. Of a deeper classifier it is the last block's output.
        """
        name = f"block{self.residual_blocks}_sum" if self.residual_blocks else "conv2"
        return keras.Model(self.input, self.get_layer(name).output, name="perceptual_features")

    def dense_features(self) -> keras.Model:
        """A model that shares these weights and gives what the last hidden layer makes of voxels, (batch, 128)."""
        return keras.Model(self.input, self.get_layer("dense").output, name="dense_features")
