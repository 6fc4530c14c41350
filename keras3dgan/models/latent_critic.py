"""The discriminator of a GAN on an autoencoder's latents."""

from typing import Any

import keras
from keras import layers

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class LatentCritic(blocks.Network):
    """Latents of an autoencoder to a logit: how real they look.

    Input: float (batch, latent_size). Output: logits (batch, 1).

    Args:
        latent_size: length of the autoencoder's latents.
        units: of each hidden layer.
        depth: residual blocks of two layers each.

    Example:
        >>> critic = LatentCritic(latent_size=8, units=16)
        >>> tuple(critic(np.zeros((2, 8))).shape)
        (2, 1)
    """

    def __init__(self, latent_size: int = 200, units: int = 512, depth: int = 3, **kwargs: Any):
        latents = keras.Input((latent_size,), name="latents")
        logits = layers.Dense(1, name="logits")(blocks.residual_perceptron(latents, units, depth))
        kwargs.setdefault("name", "critic")
        arguments = {"latent_size": latent_size, "units": units, "depth": depth}
        super().__init__(latents, blocks.float32(logits), arguments, **kwargs)
