"""The learned entropy model that tells training what latents cost."""

import math
from typing import Any

import keras
from keras import ops

_LEAST = 1e-9


@keras.saving.register_keras_serializable(package="keras3dgan")
class LatentPrior(keras.layers.Layer):
    """Logistic distribution of each latent, independent of the others (factorised, as in Balle et al. 2017).

    Call: latents (batch, k), and the quantisation step of each shape (batch, 1) -> bits (batch,) that symbols of that step take:
    minus the logarithm of the distribution's mass within half a step of each latent.

    Args:
        latent_size: k.
        scale: of all distributions at the start.

    Example:
        >>> prior = LatentPrior(latent_size=8)
        >>> tuple(prior(np.zeros((2, 8)), np.full((2, 1), 0.1)).shape)
        (2,)
    """

    def __init__(self, latent_size: int, scale: float = 0.2, **kwargs: Any):
        kwargs.setdefault("name", "prior")
        super().__init__(dtype="float32", **kwargs)
        self.latent_size = latent_size
        self.scale = scale
        self.mean = self.add_weight(shape=(latent_size,), initializer="zeros", name="mean")
        start = keras.initializers.Constant(math.log(scale))
        self.log_scale = self.add_weight(shape=(latent_size,), initializer=start, name="log_scale")
        self.built = True

    def call(self, latents: Any, step: Any) -> Any:
        # Both ends on the side of the mean where the sigmoids are small, or their difference would be lost.
        distance = ops.abs(latents - self.mean)
        scale = ops.exp(self.log_scale)
        near, far = (-distance + step / 2) / scale, (-distance - step / 2) / scale
        mass = ops.sigmoid(near) - ops.sigmoid(far)
        return ops.sum(-ops.log2(ops.maximum(mass, _LEAST)), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "latent_size": self.latent_size, "scale": self.scale}
