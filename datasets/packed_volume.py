"""The feature that every builder stores its volumes with."""

from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils.lazy_imports_utils import tensorflow as tf

from keras3dgan.voxels import grid as grids


class PackedVolume(tfds.features.FeatureConnector):
    """A voxel grid, on disk one bit a voxel, in an example `uint8` (n, n, n) of zeros and ones.

    With `decoders={"volume": tfds.decode.SkipDecoding()}` an example holds the packed bytes as a string, which is how
    `keras3dgan.data` reads: it keeps shapes packed and unpacks whole batches.

    Args:
        resolution: n.
    """

    def __init__(self, resolution: int):
        super().__init__()
        self.resolution = resolution

    def get_tensor_info(self) -> tfds.features.TensorInfo:
        return tfds.features.TensorInfo(shape=(self.resolution,) * 3, dtype=np.uint8)

    def get_serialized_info(self) -> tfds.features.TensorInfo:
        return tfds.features.TensorInfo(shape=(), dtype=tf.string)

    def encode_example(self, example_data: np.ndarray) -> bytes:
        return grids.pack(grids.check(example_data)).tobytes()

    def decode_example(self, tfexample_data: Any) -> Any:
        from keras3dgan import tensor_packing  # here: TFDS imports TensorFlow lazily

        packed = tf.io.decode_raw(tfexample_data, tf.uint8)
        return tf.cast(tensor_packing.unpack(packed, self.resolution)[0, ..., 0], tf.uint8)
