"""The image encoder of the 3D-VAE-GAN."""

from typing import Any

import keras
import numpy as np
from keras import layers

from keras3dgan.models import blocks

# Kernels, strides and channels (at width 512) of Wu et al.'s first four convolutions; together they halve five times.
_LAYERS = ((11, 4, 64), (5, 2, 128), (5, 2, 256), (5, 2, 512))
_FACTOR = 32
_WIDTH = 512


@keras.saving.register_keras_serializable(package="keras3dgan")
class PictureEncoder(blocks.Network):
    """A picture to the mean and the log variance of its latents (Wu et al. 2016, section 3.3 and appendix).

    Five 2D convolutions of kernels 11, 5, 5, 5, 8 and strides 4, 2, 2, 2, 1, batch normalisation and ReLU between; the last
    one covers what is left of the picture, 8x8 of the paper's 256x256.

    Input: float (batch, s, s, 3) in [0, 1]. Output: two of (batch, latent_size).

    Args:
        size: s, pixels along an edge, a multiple of 32. The paper has 256.
        latent_size: length of the latent vector.
        width: channels of the fourth convolution; the paper has 512. The others follow in its proportions.

    Raises:
        ValueError: the size is no multiple of 32.

    Example:
        >>> encoder = PictureEncoder(size=32, latent_size=8, width=16)
        >>> mean, log_variance = encoder(np.zeros((2, 32, 32, 3)))
        >>> tuple(mean.shape)
        (2, 8)
    """

    def __init__(self, size: int = 256, latent_size: int = 200, width: int = 512, **kwargs: Any):
        if size < _FACTOR or size % _FACTOR:
            raise ValueError(f"size must be a multiple of {_FACTOR}, got {size}.")
        pictures = keras.Input((size, size, 3), name="pictures")
        x = layers.Rescaling(2.0, -1.0, name="centred")(pictures)
        for index, (kernel, stride, channels) in enumerate(_LAYERS, 1):
            x = layers.Conv2D(
                max(1, channels * width // _WIDTH),
                kernel,
                strides=stride,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                name=f"conv{index}",
            )(x)
            x = blocks.batch_norm(f"bn{index}")(x)
            x = layers.ReLU(name=f"act{index}")(x)
        x = layers.Conv2D(2 * latent_size, size // _FACTOR, padding="valid", dtype="float32", name="conv5")(x)
        x = layers.Flatten(name="flatten", dtype="float32")(x)
        kwargs.setdefault("name", "picture_encoder")
        arguments = {"size": size, "latent_size": latent_size, "width": width}
        super().__init__(pictures, [x[:, :latent_size], x[:, latent_size:]], arguments, **kwargs)

    def start_at(self, mean: np.ndarray) -> None:
        """Makes these latents (latent_size,) what an untrained encoder gives on average."""
        bias = self.get_layer("conv5").bias
        bias.assign(np.concatenate([mean, np.zeros_like(mean)]))
