"""What all adversarial models share: two networks, two optimizers, random numbers, and hooks around one training step."""

from typing import Any, Self

import keras
from keras import ops

from keras3dgan.backend import jit_compile
from keras3dgan.models.adversarial.step import AdversarialStep
from keras3dgan.models.noise import Noise


class Optimizers:
    """Several optimizers as the one that Keras's JAX trainer and our checkpoints read `variables` of.

    Keras's own `MultiOptimizer` applies all at once and chooses by the path of a variable; here each is applied by itself.
    """

    built = True

    def __init__(self, *optimizers: keras.optimizers.Optimizer) -> None:
        self.variables = [variable for optimizer in optimizers for variable in optimizer.variables]


class AdversarialModel(Noise, AdversarialStep, keras.Model):
    """Generator and discriminator trained against each other.

    A step draws z ~ N(0, latent_stddev^2), updates the discriminator on the real and the generated batch if
    `discriminator_trains`, and then the generator if `generator_trains`. A skipped update leaves weights, moments and
    iterations of its network untouched. A variant overrides `Hooks`.

    Call: latents (batch, latent_size) -> occupancy (batch, n, n, n, 1) in [0, 1].

    Args:
        generator: latents to logits.
        discriminator: voxels to logits.
        latent_stddev: standard deviation of the latents.
        average: share of the old value in the running mean of the generator's weights, kept as `average_generator`
            (Yazici et al. 2019); 0 keeps none.
        seed: of all random numbers. Their state is a variable of the model, so a checkpoint holds it.
    """

    METRICS: tuple[str, ...] = (
        "g_loss",
        "d_loss",
        "g_trained",
        "d_trained",
        "g_gradient_norm",
        "d_gradient_norm",
        "occupied",
        "diversity",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_stddev: float = 0.33,
        average: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_stddev = latent_stddev
        self.average = average
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed, name="random")
        self.average_generator = None
        if average:
            self.average_generator = generator.copy("average_generator")
            self.average_generator.trainable = False
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.METRICS}
        self.built = True

    @property
    def best_generator(self) -> keras.Model:
        """The generator to use: the running mean where one is kept."""
        return self.average_generator or self.generator

    def compile(
        self, g_optimizer: keras.optimizers.Optimizer, d_optimizer: keras.optimizers.Optimizer, xla: bool = False
    ) -> None:
        """Takes the two optimizers, and whether XLA compiles the step on TensorFlow too."""
        super().compile(optimizer=None, jit_compile=jit_compile(xla))
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)
        self.optimizer = Optimizers(g_optimizer, d_optimizer)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        optimizers = {"g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}
        return {name: keras.saving.serialize_keras_object(value) for name, value in optimizers.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def call(self, latents: Any, training: bool | None = None) -> Any:
        return ops.sigmoid(self.generator(latents, training=training))

    def sample_latents(self, count: Any) -> Any:
        """Draws (count, latent_size) latents from N(0, latent_stddev^2)."""
        return self.random_normal(count, (self.generator.latent_size,), self.latent_stddev)

    def update_average(self) -> None:
        """Moves the average generator, batch statistics included, towards the generator."""
        if self.average_generator is not None:
            pairs = zip(self.average_generator.variables, self.generator.variables, strict=True)
            for mean, variable in pairs:
                # In this form a variable that stays as it is keeps its value to the bit: a frozen decoder's.
                mean.assign_add((1 - self.average) * (ops.cast(variable, mean.dtype) - mean))

    def track(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Takes a step's logs into the means of the epoch and returns those.

        The norm of a skipped update is no measurement: its mean is over the updates that took place.
        """
        weights = {"d_gradient_norm": logs["d_trained"], "g_gradient_norm": logs["g_trained"]}
        for name, tracker in self.trackers.items():
            tracker.update_state(logs[name], sample_weight=weights.get(name))
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "latent_stddev": self.latent_stddev,
            "average": self.average,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        for part in ("generator", "discriminator"):
            config[part] = keras.saving.deserialize_keras_object(config[part], custom_objects)
        return cls(**config)
