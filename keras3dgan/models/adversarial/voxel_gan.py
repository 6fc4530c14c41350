"""The 3D-GAN with the report's training recipe."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.models.adversarial.adversarial_model import AdversarialModel

# How far the losses are averaged into the past, and how far the network that is ahead is slowed down at most.
_LOSS_MEMORY = 0.95
_SLOWEST = 0.1


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelGAN(AdversarialModel):
    """The 3D-GAN (the report, section 3.2; Wu et al. 2016).

    The discriminator learns smoothed labels, unless its accuracy on the real and the generated batch is `gate_accuracy` or
    more already (Wu et al., section 3.1); the generator learns with the non-saturating loss.

    The report varies both learning rates "depending on loss dynamics" and gives no rule. The rule taken: of two running mean
    losses a and b, the network with the smaller one is ahead, and its rate is its base rate times
    max(0.1, (smaller / larger)^balance); the other keeps its base rate. `balance` 0 switches this off.

    Args:
        generator, discriminator, latent_stddev, average, seed: as for `AdversarialModel`.
        real_labels: range of the uniform labels of real shapes.
        fake_labels: range of the uniform labels of generated shapes.
        gate_accuracy: no discriminator update at this accuracy or above; anything above 1 never gates.
        balance: strength of the adaptive learning rates.
        noise_stddev: standard deviation of Gaussian noise added to all that the discriminator sees, so that it cannot go by
            real voxels being exactly 0 or 1 (instance noise, Arjovsky and Bottou 2017; not in the report).
        generator_labels: range of the uniform labels that the generator is taught its shapes should get.
        swapped_labels: share of the shapes that the discriminator is taught with a label of the other kind.
        joint_batch: the discriminator sees real and generated shapes as one batch, which its batch normalisation is over;
            else each kind by itself.
        centered: the discriminator sees voxels in [-1, 1] instead of [0, 1].

    Example:
        >>> networks = Generator(16, latent_size=8, width=8), Discriminator(16, width=8)
        >>> gan = VoxelGAN(*networks)
        >>> gan.compile(keras.optimizers.Adam(0.0025, 0.5), keras.optimizers.SGD(0.0001))
        >>> history = gan.fit(np.zeros((4, 16, 16, 16, 1)), verbose=0)
    """

    METRICS = (
        *AdversarialModel.METRICS,
        "d_accuracy_real",
        "d_accuracy_fake",
        "g_learning_rate",
        "d_learning_rate",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_stddev: float = 0.33,
        real_labels: Sequence[float] = (0.7, 1.2),
        fake_labels: Sequence[float] = (0.0, 0.3),
        gate_accuracy: float = 0.8,
        balance: float = 0.5,
        noise_stddev: float = 0.0,
        generator_labels: Sequence[float] = (1.0, 1.0),
        swapped_labels: float = 0.0,
        joint_batch: bool = False,
        centered: bool = False,
        average: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        kwargs.setdefault("name", "voxel_gan")
        super().__init__(generator, discriminator, latent_stddev, average, seed, **kwargs)
        self.real_labels = tuple(real_labels)
        self.fake_labels = tuple(fake_labels)
        self.gate_accuracy = gate_accuracy
        self.balance = balance
        self.noise_stddev = noise_stddev
        self.generator_labels = tuple(generator_labels)
        self.swapped_labels = swapped_labels
        self.joint_batch = joint_batch
        self.centered = centered
        # log 2: the loss of a discriminator that cannot tell, so both networks start level.
        level = {"initializer": keras.initializers.Constant(0.6931), "aggregation": "only_first_replica"}
        self.g_running_loss = self.add_weight(shape=(), trainable=False, name="g_running_loss", **level)
        self.d_running_loss = self.add_weight(shape=(), trainable=False, name="d_running_loss", **level)

    def compile(
        self, g_optimizer: keras.optimizers.Optimizer, d_optimizer: keras.optimizers.Optimizer, xla: bool = False
    ) -> None:
        """As the base class; the learning rates at this moment are the base rates of the balance rule."""
        super().compile(g_optimizer, d_optimizer, xla)
        self.g_base_rate = float(ops.convert_to_numpy(g_optimizer.learning_rate))
        self.d_base_rate = float(ops.convert_to_numpy(d_optimizer.learning_rate))

    def perturb(self, voxels: Any) -> Any:
        if self.centered:
            voxels = 2 * voxels - 1
        if self.noise_stddev:
            voxels = voxels + self.random_normal(ops.shape(voxels)[0], voxels.shape[1:], self.noise_stddev)
        return voxels

    def discriminator_loss(self, real: Any, fake: Any) -> tuple[Any, dict[str, Any]]:
        """The loss with labels drawn anew for every shape, and the accuracies."""
        real_logits, fake_logits = self._logits(real, fake)
        real_labels, fake_labels = self._labels(ops.shape(real)[0])
        logs = {
            "d_accuracy_real": ops.mean(ops.cast(real_logits > 0, "float32")),
            "d_accuracy_fake": ops.mean(ops.cast(fake_logits < 0, "float32")),
        }
        return losses.discriminator_loss(real_logits, fake_logits, real_labels, fake_labels), logs

    def generator_loss(self, fake: Any, real: Any) -> Any:
        """Without smoothing by default: the report applies it to what the discriminator is taught."""
        logits = self._logits(real, fake)[1] if self.joint_batch else self._judge(fake)
        if self.generator_labels == (1.0, 1.0):  # which draws nothing
            return losses.non_saturating_generator_loss(logits)
        labels = self.random_uniform(ops.shape(fake)[0], (1,), *self.generator_labels)
        return losses.sigmoid_cross_entropy(logits, labels)

    def _judge(self, voxels: Any) -> Any:
        return self.discriminator(self.perturb(voxels), training=True)

    def _logits(self, real: Any, fake: Any) -> tuple[Any, Any]:
        """(batch, 1) of real and of generated shapes."""
        if not self.joint_batch:
            return self._judge(real), self._judge(fake)
        # Noise first: so each shape has its own on any number of devices.
        both = [self.perturb(ops.cast(real, fake.dtype)), self.perturb(fake)]
        logits = self.discriminator(ops.concatenate(both), training=True)
        count = ops.shape(real)[0]
        return logits[:count], logits[count:]

    def _labels(self, count: Any) -> tuple[Any, Any]:
        """(count, 1) of real and of generated shapes, some of them swapped."""
        real = self.random_uniform(count, (1,), *self.real_labels)
        fake = self.random_uniform(count, (1,), *self.fake_labels)
        if not self.swapped_labels:
            return real, fake
        swapped = self.random_uniform(count, (1,), 0.0, 1.0) < self.swapped_labels
        return ops.where(swapped, fake, real), ops.where(swapped, real, fake)

    def discriminator_trains(self, logs: dict[str, Any]) -> Any:
        if self.gate_accuracy > 1:
            return True
        return (logs["d_accuracy_real"] + logs["d_accuracy_fake"]) / 2 < self.gate_accuracy

    def after_step(self, logs: dict[str, Any]) -> None:
        # Copies: the variables themselves would be read after they have been assigned to below.
        logs |= {
            "g_learning_rate": ops.copy(self.g_optimizer.learning_rate),
            "d_learning_rate": ops.copy(self.d_optimizer.learning_rate),
        }
        g, d = self.g_running_loss, self.d_running_loss
        g.assign(_LOSS_MEMORY * g + (1 - _LOSS_MEMORY) * logs["g_loss"])
        d.assign(_LOSS_MEMORY * d + (1 - _LOSS_MEMORY) * logs["d_loss"])
        if self.balance == 0:
            return
        # Smoothed labels can push the discriminator's loss to zero and below, hence the floor.
        ratio = ops.maximum(g, 1e-3) / ops.maximum(d, 1e-3)
        self.g_optimizer.learning_rate.assign(self.g_base_rate * ops.clip(ratio**self.balance, _SLOWEST, 1.0))
        self.d_optimizer.learning_rate.assign(self.d_base_rate * ops.clip(ratio**-self.balance, _SLOWEST, 1.0))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "real_labels": self.real_labels,
            "fake_labels": self.fake_labels,
            "gate_accuracy": self.gate_accuracy,
            "balance": self.balance,
            "noise_stddev": self.noise_stddev,
            "generator_labels": self.generator_labels,
            "swapped_labels": self.swapped_labels,
            "joint_batch": self.joint_batch,
            "centered": self.centered,
        }
