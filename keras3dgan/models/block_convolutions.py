"""Convolutions with a stride where one side has a single channel, computed on blocks of voxels.

A convolution of stride s is one of stride 1 on blocks of s^3 voxels, which become channels (Shi et al. 2016, the "sub-pixel
convolution", and its inverse). Results are those of Keras's layers, but for rounding. CPUs take far longer
for one channel than for blocks: a grid of 32^3 from 8 channels costs a quarter, the gradient of one less than half (AVX2).

The classes are named as Keras's, since its weights files name layers by their class: so either reads what the other wrote.
"""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras3dgan")
class Conv3D(layers.Conv3D):
    """`keras.layers.Conv3D`, for one stride along all axes and grids (batch, n, n, n, channels) whose n it divides.

    Example:
        >>> tuple(Conv3D(8, 4, strides=2, padding="same")(np.zeros((2, 16, 16, 16, 1))).shape)
        (2, 8, 8, 8, 8)
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        stride, size = self.strides[0], self.kernel_size[0]
        reach = -(-size // stride)
        before = max(size - stride, 0) // 2 if self.padding == "same" else 0
        count = inputs.shape[1] // stride if self.padding == "same" else (inputs.shape[1] - size) // stride + 1
        after = stride * (count + reach - 1) - inputs.shape[1] - before
        blocks = _to_blocks(_padded(inputs, before, after), stride)
        kernel = ops.pad(kernel, [[0, stride * reach - size]] * 3 + [[0, 0]] * 2)
        kernel = ops.reshape(kernel, (reach, stride) * 3 + kernel.shape[3:])
        kernel = ops.transpose(kernel, (0, 2, 4, 1, 3, 5, 6, 7))
        kernel = ops.reshape(kernel, (reach,) * 3 + (-1, self.filters))
        return ops.conv(blocks, kernel, padding="valid")


@keras.saving.register_keras_serializable(package="keras3dgan")
class Conv3DTranspose(layers.Conv3DTranspose):
    """`keras.layers.Conv3DTranspose` with padding `same`, for one stride along all axes and a kernel that is a multiple of it.

    Example:
        >>> tuple(Conv3DTranspose(1, 4, strides=2, padding="same")(np.zeros((2, 8, 8, 8, 4))).shape)
        (2, 16, 16, 16, 1)
    """

    def call(self, inputs: Any) -> Any:
        stride, size, length = self.strides[0], self.kernel_size[0], self.strides[0] * inputs.shape[1]
        reach, before = size // stride, (size - stride) // 2
        kernel = ops.reshape(self.kernel, (reach, stride) * 3 + self.kernel.shape[3:])
        kernel = ops.transpose(ops.flip(kernel, (0, 2, 4)), (0, 2, 4, 7, 1, 3, 5, 6))
        kernel = ops.reshape(kernel, (reach,) * 3 + (inputs.shape[-1], -1))
        blocks = ops.conv(_padded(inputs, reach - 1, reach - 1), kernel, padding="valid")
        inside = slice(before, before + length)
        outputs = _from_blocks(blocks, stride)[:, inside, inside, inside]
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


def _padded(x: Any, before: int, after: int) -> Any:
    return ops.pad(x, [[0, 0], *[[before, after]] * 3, [0, 0]])


# In two steps, since LiteRT transposes six axes at most.
def _to_blocks(x: Any, size: int) -> Any:
    """(b, n, n, n, c) to (b, n / size, n / size, n / size, size^3 c)."""
    n, row = x.shape[1] // size, x.shape[1] * x.shape[-1]
    x = ops.transpose(ops.reshape(x, (-1, n, size, n, size, row)), (0, 1, 3, 2, 4, 5))
    x = ops.transpose(ops.reshape(x, (-1, size**2, n, row // n)), (0, 2, 1, 3))
    return ops.reshape(x, (-1, n, n, n, size**2 * row // n))


def _from_blocks(x: Any, size: int) -> Any:
    """The way back."""
    n, row = x.shape[1], x.shape[1] * x.shape[-1] // size**2
    x = ops.transpose(ops.reshape(x, (-1, n, size**2, row // n)), (0, 2, 1, 3))
    x = ops.transpose(ops.reshape(x, (-1, n, n, size, size, row)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, *(size * n,) * 3, row // (size * n)))
