"""`voxels.grid.pack` and `unpack` as TensorFlow operations, which graphs of input pipelines and exported models hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

# Unpacking by table is several times faster than by bit shifts.
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)


def unpack(packed: Any, resolution: int) -> Any:
    """Packed grids uint8 (batch, n^3 / 8) -> float32 (batch, n, n, n, 1) of zeros and ones."""
    bits = tf.gather(tf.constant(_BITS, tf.float32), tf.cast(packed, tf.int32))
    return tf.reshape(bits, (-1, resolution, resolution, resolution, 1))


def pack(occupied: Any) -> Any:
    """Booleans (batch, n, n, n, 1) -> packed grids uint8 (batch, n^3 / 8)."""
    bits = tf.reshape(tf.cast(occupied, tf.int32), (tf.shape(occupied)[0], -1, 8))
    return tf.cast(tf.reduce_sum(bits * [128, 64, 32, 16, 8, 4, 2, 1], axis=-1), tf.uint8)
