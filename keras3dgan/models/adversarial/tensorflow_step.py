"""The adversarial training step on TensorFlow, on one device or on many."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import keras
import tensorflow as tf
from keras import ops

from keras3dgan.backend.tensorflow_devices import replicas
from keras3dgan.models.adversarial.hooks import Guidance, Hooks

_Structure = TypeVar("_Structure")


def mean_over_replicas(values: _Structure) -> _Structure:
    """The mean of a structure of scalars over the equal shares of the batch, the same on every replica."""
    if replicas() == 1 or not values:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)


def _run_if(condition: Any, update: Callable[[], Any], variables: Sequence[keras.Variable]) -> Any:
    """Runs `update` where `condition` holds; else every one of `variables` keeps its value and the result is 0.

    On one device the branch also saves the backward pass. Across replicas `tf.cond` cannot hold an optimizer's update, so
    it runs always and is undone.
    """
    if condition is True:
        return update()
    if not tf.distribute.has_strategy():
        return tf.cond(condition, update, lambda: tf.constant(0.0))
    before = [tf.identity(variable.value) for variable in variables]
    result = update()
    for variable, old in zip(variables, before, strict=True):
        variable.assign(tf.where(condition, variable.value, old))
    return tf.where(condition, result, 0.0)


def _apply(optimizer: keras.optimizers.Optimizer, gradients: list[Any], variables: list[keras.Variable]) -> Any:
    """Updates with the gradient of the whole batch's mean loss, and returns its norm."""
    gradients = mean_over_replicas(gradients)
    # Keras's optimizers add up what the replicas give them.
    optimizer.apply([gradient / replicas() for gradient in gradients], variables)
    return tf.linalg.global_norm(gradients)


class AdversarialStep(Hooks):
    """The `train_step` of `AdversarialModel`; it calls that class's hooks and knows nothing of what is behind them."""

    def train_step(self, data: Any) -> dict[str, Any]:
        real = self.real_voxels(data)
        with tf.GradientTape() as tape:
            fake = self(self.sample_latents(ops.shape(real)[0]), training=True)
        logs = self._update_discriminator(real, fake)
        guidance, more = self._update_guiding(self.guidance(data))
        logs |= more
        logs |= self._update_generator(tape, fake, real, guidance)
        logs |= mean_over_replicas(self.describe(fake))
        self.after_step(logs)
        return self.track(logs)

    def _update_discriminator(self, real: Any, fake: Any) -> dict[str, Any]:
        variables = self.discriminator.trainable_variables
        with tf.GradientTape() as tape:
            loss, logs = self.discriminator_loss(real, fake)
        logs = mean_over_replicas({**logs, "d_loss": loss})

        def update() -> Any:
            return _apply(self.d_optimizer, tape.gradient(loss, variables), variables)

        trains = self.discriminator_trains(logs)
        norm = _run_if(trains, update, variables + self.d_optimizer.variables)
        return {**logs, "d_trained": ops.cast(trains, "float32"), "d_gradient_norm": norm}

    def _update_guiding(self, guidance: Guidance | None) -> tuple[list[Any] | None, dict[str, Any]]:
        """The gradients of a guidance for the generator, after the other network has been updated with its own."""
        if guidance is None:
            return None, {}
        with tf.GradientTape() as tape:
            loss, logs = guidance.loss()
        variables = guidance.network.trainable_variables
        mine, others = tape.gradient(loss, (variables, self.generator.trainable_variables))
        norm = _apply(guidance.optimizer, mine, variables)
        return others, {**mean_over_replicas(logs), f"{guidance.prefix}_gradient_norm": norm}

    def _update_generator(
        self, generator_tape: tf.GradientTape, fake: Any, real: Any, guidance: list[Any] | None
    ) -> dict[str, Any]:
        variables = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(fake)
            loss = self.generator_loss(fake, real)

        def update() -> Any:
            gradients = generator_tape.gradient(fake, variables, output_gradients=tape.gradient(loss, fake))
            if guidance is not None:
                gradients = [one + two for one, two in zip(gradients, guidance, strict=True)]
            norm = _apply(self.g_optimizer, gradients, variables)
            self.update_average()
            return norm

        trains = self.generator_trains()
        averaged = self.average_generator.variables if self.average_generator else []
        norm = _run_if(trains, update, variables + self.g_optimizer.variables + averaged)
        logs = mean_over_replicas({"g_loss": loss})
        return {**logs, "g_trained": ops.cast(trains, "float32"), "g_gradient_norm": norm}
