"""The generator of a GAN on an autoencoder's latents."""

from typing import Any

import keras
from keras import layers

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class LatentMapping(blocks.Network):
    """Noise to the latents of an autoencoder, by a residual perceptron.

    Input: float (batch, latent_size), drawn from a normal distribution. Output: (batch, mapped_size), of about unit variance.

    Args:
        latent_size: length of the noise.
        mapped_size: length of the autoencoder's latents.
        units: of each hidden layer.
        depth: residual blocks of two layers each.

    Example:
        >>> mapping = LatentMapping(latent_size=4, mapped_size=8, units=16)
        >>> tuple(mapping(np.zeros((2, 4))).shape)
        (2, 8)
    """

    def __init__(self, latent_size: int = 64, mapped_size: int = 200, units: int = 512, depth: int = 3, **kwargs: Any):
        noise = keras.Input((latent_size,), name="latents")
        latents = layers.Dense(mapped_size, name="mapped")(blocks.residual_perceptron(noise, units, depth))
        kwargs.setdefault("name", "mapping")
        arguments = {"latent_size": latent_size, "mapped_size": mapped_size, "units": units, "depth": depth}
        super().__init__(noise, blocks.float32(latents), arguments, **kwargs)
