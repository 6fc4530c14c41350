"""From pictures to shapes with a trained 3D-VAE-GAN."""

from __future__ import annotations

from typing import Any, Self

import keras
import numpy as np

from keras3dgan.codec.latent.neural import synthesise
from keras3dgan.models.pretrained import Pretrained
from keras3dgan.pictures.framing import on_white


@keras.saving.register_keras_serializable(package="keras3dgan")
class Reconstructor(Pretrained, keras.Model):
    """What a 3D-VAE-GAN is for: gives the shape that a picture shows.

    Call: pictures float (batch, s, s, 3) in [0, 1] -> logits (batch, n, n, n, 1).

    Args:
        picture_encoder: pictures to mean and log variance of latents.
        generator: latents to logits.

    Example:
        >>> encoder = PictureEncoder(size=32, latent_size=8, width=16)
        >>> reconstructor = Reconstructor(encoder, Generator(resolution=16, latent_size=8, width=8))
        >>> reconstructor.reconstruct(np.zeros((2, 32, 32, 4), np.uint8)).shape
        (2, 16, 16, 16)
    """

    PARTS = ("picture_encoder", "generator")
    KIND = "vae_gan"

    def __init__(self, picture_encoder: keras.Model, generator: keras.Model, **kwargs: Any):
        kwargs.setdefault("name", "reconstructor")
        super().__init__(**kwargs)
        self.picture_encoder = picture_encoder
        self.generator = generator
        self.built = True

    @property
    def size(self) -> int:
        """Pixels along an edge of the pictures."""
        return self.picture_encoder.size

    @property
    def resolution(self) -> int:
        """n of the shapes."""
        return self.generator.resolution

    def call(self, pictures: Any, training: bool | None = None) -> Any:
        return self.generator(self.picture_encoder(pictures, training=training)[0], training=training)

    def reconstruct(self, pictures: np.ndarray) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of framed pictures uint8 (count, s, s, 4).

        The mean of the logits of a picture and of its mirror image, which shows the mirror image in x of the shape.
        """
        return synthesise(self._logits, pictures)

    def _logits(self, pictures: np.ndarray) -> Any:
        views = on_white(pictures)
        return (self(views, training=False) + self(views[:, :, ::-1], training=False)[:, ::-1]) / 2

    def get_config(self) -> dict[str, Any]:
        parts = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.PARTS}
        return {"name": self.name, **parts}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        parts = {name: keras.saving.deserialize_keras_object(config[name], custom_objects) for name in cls.PARTS}
        return cls(**{**config, **parts})
