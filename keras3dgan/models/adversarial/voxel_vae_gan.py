"""The 3D-VAE-GAN: from a picture to a shape."""

from typing import Any, Self

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.models.adversarial.adversarial_model import Optimizers
from keras3dgan.models.adversarial.hooks import Guidance
from keras3dgan.models.adversarial.voxel_gan import VoxelGAN


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelVAEGAN(VoxelGAN):
    """The 3D-GAN with an image encoder in front of its generator (the report, equations 2 to 6; Wu et al. 2016, section 3.3).

    L = L_3D-GAN + alpha1 KL(q(z|y) || p(z)) + alpha2 ||G(E(y)) - x||_2, p(z) = N(0, latent_stddev^2). A step takes a picture y
    and the shape x of each example, and updates the discriminator on x and G(z), the encoder on the last two terms, and the
    generator on L_3D-GAN and the last.

    Args:
        encoder: pictures to mean and log variance of the latents.
        generator, discriminator, **kwargs: as for `VoxelGAN`.
        alpha1: weight of the divergence; Wu et al. have 5.
        alpha2: weight of the reconstruction; Wu et al. have 10^-4.

    Example:
        >>> networks = Generator(16, latent_size=8, width=8), Discriminator(16, width=8)
        >>> model = VoxelVAEGAN(PictureEncoder(32, latent_size=8, width=16), *networks)
        >>> model.compile(*(keras.optimizers.Adam(0.0003, 0.5) for _ in range(3)))
        >>> history = model.fit(np.zeros((4, 32, 32, 3)), np.zeros((4, 16, 16, 16, 1)), verbose=0)
    """

    METRICS = (*VoxelGAN.METRICS, "kl", "reconstruction", "e_gradient_norm")

    def __init__(
        self,
        encoder: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        alpha1: float = 5.0,
        alpha2: float = 1e-4,
        **kwargs: Any,
    ):
        kwargs.setdefault("name", "voxel_vae_gan")
        super().__init__(generator, discriminator, **kwargs)
        self.encoder = encoder
        self.alpha1 = alpha1
        self.alpha2 = alpha2

    def compile(  # type: ignore[override]
        self,
        g_optimizer: keras.optimizers.Optimizer,
        d_optimizer: keras.optimizers.Optimizer,
        e_optimizer: keras.optimizers.Optimizer,
        xla: bool = False,
    ) -> None:
        """As the base class, with an optimizer for the encoder too."""
        super().compile(g_optimizer, d_optimizer, xla)
        self.e_optimizer = e_optimizer
        e_optimizer.build(self.encoder.trainable_variables)
        self.optimizer = Optimizers(g_optimizer, d_optimizer, e_optimizer)

    def get_compile_config(self) -> dict[str, Any] | None:
        config = super().get_compile_config()
        if config is not None:
            config["e_optimizer"] = keras.saving.serialize_keras_object(self.e_optimizer)
        return config

    def real_voxels(self, data: Any) -> Any:
        return keras.utils.unpack_x_y_sample_weight(data)[1]

    def guidance(self, data: Any) -> Guidance:
        return Guidance(self.encoder, self.e_optimizer, lambda: self._encoding_loss(data), "e")

    def _encoding_loss(self, data: Any) -> tuple[Any, dict[str, Any]]:
        """Divergence and reconstruction of a batch of pictures (batch, s, s, 3) and their shapes (batch, n, n, n, 1)."""
        pictures, voxels, _ = keras.utils.unpack_x_y_sample_weight(data)
        mean, log_variance = self.encoder(pictures, training=True)
        noise = self.random_normal(ops.shape(mean)[0], (mean.shape[1],), 1.0)
        latents = mean + ops.exp(0.5 * log_variance) * noise
        restored = ops.sigmoid(self.generator(latents, training=True))
        kl = losses.normal_divergence(mean, log_variance, self.latent_stddev)
        distance = losses.mean_l2_distance(restored, voxels)
        return self.alpha1 * kl + self.alpha2 * distance, {"kl": kl, "reconstruction": distance}

    def reconstruct(self, pictures: Any) -> Any:
        """Occupancy (batch, n, n, n, 1) in [0, 1] of pictures (batch, s, s, 3), from the mean of their latents."""
        return ops.sigmoid(self.best_generator(self.encoder(pictures, training=False)[0], training=False))

    def get_config(self) -> dict[str, Any]:
        encoder = keras.saving.serialize_keras_object(self.encoder)
        return {**super().get_config(), "encoder": encoder, "alpha1": self.alpha1, "alpha2": self.alpha2}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        config["encoder"] = keras.saving.deserialize_keras_object(config["encoder"], custom_objects)
        return super().from_config(config, custom_objects)
