"""A generator that draws an autoencoder's latents and decodes them."""

from collections.abc import Sequence
from typing import Any, Self

import keras

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class LatentGenerator(blocks.Network):
    """Noise to voxel logits, by way of the latents of an autoencoder.

    Input: float (batch, latent_size), drawn from N(0, 1). Output: logits (batch, n, n, n, 1).

    Args:
        mapping: noise to latents of about zero mean and unit variance.
        decoder: latents to logits.
        scale: what the mapped latents are multiplied with.
        mean: what is added to them then, a number a latent.

    Attributes:
        latent_size: length of the noise.
        resolution: n.

    Example:
        >>> generator = LatentGenerator.from_preset("gan_chair_32")
        >>> chairs = generator(keras.random.normal((2, generator.latent_size)))
        >>> tuple(chairs.shape)
        (2, 32, 32, 32, 1)
    """

    def __init__(self, mapping: keras.Model, decoder: keras.Model, scale: float, mean: Sequence[float], **kwargs: Any):
        kwargs.setdefault("name", "generator")
        noise = keras.Input((mapping.latent_size,), name="latents")
        latents = keras.layers.Rescaling(scale, list(mean), name="rescaled")(mapping(noise))
        arguments = {"mapping": mapping, "decoder": decoder, "scale": scale, "mean": tuple(mean)}
        super().__init__(noise, decoder(latents), arguments, **kwargs)
        self.latent_size = mapping.latent_size
        self.resolution = decoder.resolution

    def get_config(self) -> dict[str, Any]:
        serialized = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in ("mapping", "decoder")}
        return {**super().get_config(), "mean": list(self.mean), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        for part in ("mapping", "decoder"):
            config[part] = keras.saving.deserialize_keras_object(config[part], custom_objects)
        return cls(**config)
