"""A picture encoder that learns the latents of an autoencoder."""

from typing import Any, Self

import keras
from keras import ops

from keras3dgan.backend import replicas


@keras.saving.register_keras_serializable(package="keras3dgan")
class PictureToLatents(keras.Model):
    """Learns which latents an autoencoder gives for the shape that a picture shows (TL-embedding network, Girdhar et al. 2016).

    The autoencoder's decoder, which is not trained, makes shapes of them: it knows already what shapes look like. The loss is
    the mean squared error of the latents, in units of their standard deviation; plus the negative log likelihood of the
    latents under the encoder's variances, which leaves the means alone.

    Call: pictures (batch, s, s, 3) in [0, 1] -> mean and log variance of the latents. Train with `fit` on pictures and
    latents (batch, k).

    Args:
        encoder: pictures to mean and log variance of latents.
        generator: latents to logits, the autoencoder's decoder.
        scale: standard deviation of the latents, all taken together.

    Example:
        >>> encoder = PictureEncoder(size=32, latent_size=8, width=16)
        >>> model = PictureToLatents(encoder, ResidualDecoder(resolution=16, latent_size=8, width=8))
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((4, 32, 32, 3)), np.zeros((4, 8)), verbose=0)
    """

    def __init__(self, encoder: keras.Model, generator: keras.Model, scale: float = 1.0, **kwargs: Any):
        kwargs.setdefault("name", "picture_to_latents")
        super().__init__(**kwargs)
        generator.trainable = False
        self.encoder = encoder
        self.generator = generator
        self.scale = scale
        self.built = True

    @property
    def best_generator(self) -> keras.Model:
        """What makes shapes of the latents."""
        return self.generator

    def call(self, pictures: Any, training: bool | None = None) -> Any:
        return self.encoder(pictures, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        del x, sample_weight
        mean, log_variance = y_pred
        squares = ops.square(mean - y)
        likelihood = log_variance + ops.stop_gradient(squares) * ops.exp(-log_variance)
        loss = ops.mean(squares) / self.scale**2 + 0.5 * ops.mean(likelihood)
        # The replicas' gradients are added up, and Keras undoes this division where it reports the loss.
        return loss / replicas()

    def get_config(self) -> dict[str, Any]:
        parts = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in ("encoder", "generator")}
        return {"name": self.name, "scale": self.scale, **parts}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        for name in ("encoder", "generator"):
            config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
        return cls(**config)
