"""A relativistic GAN on the latents of an autoencoder."""

from collections.abc import Callable
from typing import Any

import keras

from keras3dgan.models.adversarial.voxel_r3gan import VoxelR3GAN


@keras.saving.register_keras_serializable(package="keras3dgan")
class LatentR3GAN(VoxelR3GAN):
    """As `VoxelR3GAN`, but real and generated are an autoencoder's latents (batch, k), and both networks perceptrons.

    A good autoencoder knows already what surfaces look like; what is left to learn is which latents shapes have. That takes
    perceptrons instead of convolutions over volumes, so a step is a hundred times as fast.

    Call: noise (batch, latent_size) -> latents (batch, k).

    Args:
        generator: noise to latents.
        discriminator: latents to logits.
        latent_stddev, penalty_weight, average, seed: as for `VoxelR3GAN`.
        finish: makes of a generator the one that people use, which gives voxels; default: it is that.

    Example:
        >>> networks = LatentMapping(latent_size=4, mapped_size=8, units=16), LatentCritic(latent_size=8, units=16)
        >>> gan = LatentR3GAN(*networks)
        >>> gan.compile(keras.optimizers.Adam(0.0002, 0), keras.optimizers.Adam(0.0002, 0))
        >>> history = gan.fit(np.zeros((4, 8)), verbose=0)
    """

    # Latents are neither occupied nor empty.
    METRICS = tuple(name for name in VoxelR3GAN.METRICS if name not in ("occupied", "diversity"))

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_stddev: float = 1.0,
        penalty_weight: float = 1.0,
        average: float = 0.0,
        seed: int = 0,
        finish: Callable[[keras.Model], keras.Model] | None = None,
        **kwargs: Any,
    ):
        kwargs.setdefault("name", "latent_r3gan")
        super().__init__(generator, discriminator, latent_stddev, penalty_weight, average=average, seed=seed, **kwargs)
        self._finish = finish

    @property
    def best_generator(self) -> keras.Model:
        generator = super().best_generator
        return self._finish(generator) if self._finish else generator

    def call(self, latents: Any, training: bool | None = None) -> Any:
        return self.generator(latents, training=training)

    def describe(self, fake: Any) -> dict[str, Any]:
        return {}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["diff_augment"]
        return config
