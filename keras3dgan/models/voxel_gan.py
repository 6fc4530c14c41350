"""The 3D-GAN with the report's training step."""

import keras
import tensorflow as tf
from keras import ops

from keras3dgan import losses
from keras3dgan.metrics import generation

# How far the losses are averaged into the past, and how far the network that is ahead is slowed down at most.
_LOSS_MEMORY = 0.95
_SLOWEST = 0.1
_METRICS = (
    "g_loss",
    "d_loss",
    "d_accuracy_real",
    "d_accuracy_fake",
    "gated",
    "g_learning_rate",
    "d_learning_rate",
    "g_gradient_norm",
    "d_gradient_norm",
    "occupied",
    "diversity",
)


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelGAN(keras.Model):
    """Generator and discriminator trained against each other (the report, section 3.2; Wu et al. 2016).

    A step draws z ~ N(0, latent_stddev^2), updates the discriminator on the real and the generated batch with smoothed
    labels, unless its accuracy on both is `gate_accuracy` or more already (Wu et al., section 3.1), and then updates the
    generator with the non-saturating loss. A gated step leaves the discriminator's weights and its optimizer untouched.

    The report varies both learning rates "depending on loss dynamics" and gives no rule. The rule taken: of two running mean
    losses a and b, the network with the smaller one is ahead, and its rate is its base rate times
    max(0.1, (smaller / larger)^balance); the other keeps its base rate. `balance` 0 switches this off.

    Call: latents (batch, latent_size) -> occupancy (batch, n, n, n, 1) in [0, 1].

    Args:
        generator: latents to logits.
        discriminator: voxels to logits.
        latent_stddev: standard deviation of the latents.
        real_labels: range of the uniform labels of real shapes.
        fake_labels: range of the uniform labels of generated shapes.
        gate_accuracy: no discriminator update at this accuracy or above; anything above 1 never gates.
        balance: strength of the adaptive learning rates.
        seed: of latents and labels. The random state is a variable of the model, so a checkpoint holds it.
    """

    def __init__(
        self,
        generator,
        discriminator,
        latent_stddev=0.33,
        real_labels=(0.7, 1.2),
        fake_labels=(0.0, 0.3),
        gate_accuracy=0.8,
        balance=0.5,
        seed=0,
        **kwargs,
    ):
        kwargs.setdefault("name", "voxel_gan")
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_stddev = latent_stddev
        self.real_labels = tuple(real_labels)
        self.fake_labels = tuple(fake_labels)
        self.gate_accuracy = gate_accuracy
        self.balance = balance
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed, name="random")
        # log 2: the loss of a discriminator that cannot tell, so both networks start level.
        level = keras.initializers.Constant(0.6931)
        self.g_running_loss = self.add_weight(shape=(), initializer=level, trainable=False, name="g_running_loss")
        self.d_running_loss = self.add_weight(shape=(), initializer=level, trainable=False, name="d_running_loss")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in _METRICS}
        self.built = True

    def compile(self, g_optimizer, d_optimizer):
        """Takes the two optimizers; their learning rates at this moment are the base rates of the balance rule."""
        super().compile(optimizer=None)
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        self.g_base_rate = float(ops.convert_to_numpy(g_optimizer.learning_rate))
        self.d_base_rate = float(ops.convert_to_numpy(d_optimizer.learning_rate))
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

    def get_compile_config(self):
        if not self.compiled:
            return None
        optimizers = {"g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}
        return {name: keras.saving.serialize_keras_object(value) for name, value in optimizers.items()}

    def compile_from_config(self, config):
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def call(self, latents, training=None):
        return ops.sigmoid(self.generator(latents, training=training))

    def sample_latents(self, count):
        """Draws (count, latent_size) latents from N(0, latent_stddev^2)."""
        return keras.random.normal((count, self.generator.latent_size), stddev=self.latent_stddev, seed=self.random)

    def discriminator_loss(self, real_logits, fake_logits):
        """The discriminator's loss with labels drawn anew for every shape."""
        real_labels = keras.random.uniform(ops.shape(real_logits), *self.real_labels, seed=self.random)
        fake_labels = keras.random.uniform(ops.shape(fake_logits), *self.fake_labels, seed=self.random)
        return losses.discriminator_loss(real_logits, fake_logits, real_labels, fake_labels)

    def generator_loss(self, fake_logits):
        """The generator's loss; without smoothing, which the report applies to what the discriminator is taught."""
        return losses.non_saturating_generator_loss(fake_logits)

    def train_step(self, data):
        real = keras.utils.unpack_x_y_sample_weight(data)[0]
        with tf.GradientTape() as g_tape:
            fake = self(self.sample_latents(ops.shape(real)[0]), training=True)
            with g_tape.stop_recording():
                logs = self._update_discriminator(real, fake)
            g_loss = self.generator_loss(self.discriminator(fake, training=True))
        g_variables = self.generator.trainable_variables
        g_gradients = g_tape.gradient(g_loss, g_variables)
        self.g_optimizer.apply(g_gradients, g_variables)
        logs |= {
            "g_loss": g_loss,
            "g_gradient_norm": tf.linalg.global_norm(g_gradients),
            "g_learning_rate": self.g_optimizer.learning_rate,
            "d_learning_rate": self.d_optimizer.learning_rate,
            "occupied": generation.occupied_fraction(fake),
            "diversity": generation.diversity(fake),
        }
        self._balance_learning_rates(g_loss, logs["d_loss"])
        for name, value in logs.items():
            if name != "d_gradient_norm":
                self.trackers[name].update_state(value)
        # The norm of a skipped update is no measurement: the mean is over the updates that took place.
        self.trackers["d_gradient_norm"].update_state(logs["d_gradient_norm"], sample_weight=1.0 - logs["gated"])
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def _update_discriminator(self, real, fake):
        variables = self.discriminator.trainable_variables
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = self.discriminator_loss(real_logits, fake_logits)
        accuracy_real = ops.mean(ops.cast(real_logits > 0, "float32"))
        accuracy_fake = ops.mean(ops.cast(fake_logits < 0, "float32"))
        gated = (accuracy_real + accuracy_fake) / 2 >= self.gate_accuracy

        def update():
            gradients = tape.gradient(loss, variables)
            self.d_optimizer.apply(gradients, variables)
            return tf.linalg.global_norm(gradients)

        # Inside the branch also the backward pass is skipped, a third of the step's work.
        norm = tf.cond(gated, lambda: tf.constant(0.0), update)
        return {
            "d_loss": loss,
            "d_accuracy_real": accuracy_real,
            "d_accuracy_fake": accuracy_fake,
            "gated": ops.cast(gated, "float32"),
            "d_gradient_norm": norm,
        }

    def _balance_learning_rates(self, g_loss, d_loss):
        g, d = self.g_running_loss, self.d_running_loss
        g.assign(_LOSS_MEMORY * g + (1 - _LOSS_MEMORY) * g_loss)
        d.assign(_LOSS_MEMORY * d + (1 - _LOSS_MEMORY) * d_loss)
        if self.balance == 0:
            return
        # Smoothed labels can push the discriminator's loss to zero and below, hence the floor.
        ratio = ops.maximum(g, 1e-3) / ops.maximum(d, 1e-3)
        self.g_optimizer.learning_rate.assign(self.g_base_rate * ops.clip(ratio**self.balance, _SLOWEST, 1.0))
        self.d_optimizer.learning_rate.assign(self.d_base_rate * ops.clip(ratio**-self.balance, _SLOWEST, 1.0))

    @property
    def metrics(self):
        return list(self.trackers.values())

    def get_config(self):
        return {
            "name": self.name,
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "latent_stddev": self.latent_stddev,
            "real_labels": self.real_labels,
            "fake_labels": self.fake_labels,
            "gate_accuracy": self.gate_accuracy,
            "balance": self.balance,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        for part in ("generator", "discriminator"):
            config[part] = keras.saving.deserialize_keras_object(config[part], custom_objects)
        return cls(**config)
