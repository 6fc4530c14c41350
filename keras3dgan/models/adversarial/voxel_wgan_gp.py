"""The 3D-GAN as a Wasserstein GAN with gradient penalty, the report's stated future direction (section 6)."""

from typing import Any

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.backend import input_gradients
from keras3dgan.models.adversarial.adversarial_model import AdversarialModel


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelWGANGP(AdversarialModel):
    """WGAN-GP (Gulrajani et al. 2017, "IWGAN", algorithm 1).

    Every step updates the critic on fresh real shapes, every `critic_steps`-th one also the generator, once `critic_first` are
    over. The critic must have no batch normalisation, since the penalty is on the gradient of each shape alone.

    Args:
        generator, discriminator, latent_stddev, average, seed: as for `AdversarialModel`; the discriminator is the critic.
        critic_steps: critic updates to one of the generator; 5 in Gulrajani et al.
        penalty_weight: of the gradient penalty; 10 in Gulrajani et al.
        critic_first: steps at the beginning in which the critic learns alone: a generator that is good already would be
            spoilt by a critic that knows nothing yet.

    Raises:
        ValueError: the critic normalises over the batch.

    Example:
        >>> networks = Generator(16, latent_size=8, width=8), Discriminator(16, width=8, normalization="none")
        >>> gan = VoxelWGANGP(*networks, critic_steps=1)
        >>> gan.compile(keras.optimizers.Adam(0.001, 0), keras.optimizers.Adam(0.001, 0))
        >>> history = gan.fit(np.zeros((4, 16, 16, 16, 1)), verbose=0)
    """

    METRICS = (*AdversarialModel.METRICS, "wasserstein_distance", "gradient_penalty")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_stddev: float = 0.33,
        critic_steps: int = 5,
        penalty_weight: float = 10.0,
        critic_first: int = 0,
        average: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        if any(isinstance(layer, keras.layers.BatchNormalization) for layer in discriminator.layers):
            raise ValueError("WGAN-GP needs a critic without batch normalisation: Discriminator(normalization='none').")
        kwargs.setdefault("name", "voxel_wgan_gp")
        super().__init__(generator, discriminator, latent_stddev, average, seed, **kwargs)
        self.critic_steps = critic_steps
        self.penalty_weight = penalty_weight
        self.critic_first = critic_first

    def discriminator_loss(self, real: Any, fake: Any) -> tuple[Any, dict[str, Any]]:
        """Critic loss plus weighted gradient penalty at points uniformly between real and generated shapes."""
        real_scores = self.discriminator(real, training=True)
        fake_scores = self.discriminator(fake, training=True)
        share = self.random_uniform(ops.shape(real)[0], (1, 1, 1, 1), 0.0, 1.0)
        between = real + share * (fake - real)
        gradients = input_gradients(lambda voxels: self.discriminator(voxels, training=True), between)
        penalty = losses.gradient_penalty(gradients)
        loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
        return loss + self.penalty_weight * penalty, {"wasserstein_distance": -loss, "gradient_penalty": penalty}

    def generator_loss(self, fake: Any, real: Any) -> Any:
        return losses.wasserstein_generator_loss(self.discriminator(fake, training=True))

    def generator_trains(self) -> Any:
        if self.critic_steps == 1 and not self.critic_first:
            return True
        done = self.d_optimizer.iterations
        return ops.logical_and(done > self.critic_first, ops.equal(done % self.critic_steps, 0))

    def get_config(self) -> dict[str, Any]:
        names = ("critic_steps", "penalty_weight", "critic_first")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
