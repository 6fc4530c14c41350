"""The adversarial training step on JAX: a pure function of the state, as Keras's trainer compiles it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import keras
from jax import numpy as jnp
from keras import ops

from keras3dgan.models.adversarial.hooks import Guidance, Hooks


class _Variables:
    """The variables of a training, and what code that assigns to them makes of their values."""

    def __init__(self, variables: Iterable[keras.Variable]):
        self.variables = list(variables)
        self.places = {id(variable): place for place, variable in enumerate(self.variables)}

    def pick(self, values: list[Any], variables: Iterable[keras.Variable]) -> list[Any]:
        """The values of some of the variables."""
        return [values[self.places[id(variable)]] for variable in variables]

    def put(self, values: list[Any], variables: Iterable[keras.Variable], picked: Iterable[Any]) -> list[Any]:
        """The values with those of some variables replaced."""
        values = list(values)
        for variable, value in zip(variables, picked, strict=True):
            values[self.places[id(variable)]] = value
        return values

    def run(self, values: list[Any], function: Callable[[], Any]) -> tuple[Any, list[Any]]:
        """What `function` gives where the variables have these values, and the values that it leaves."""
        with keras.StatelessScope(state_mapping=list(zip(self.variables, values, strict=True))) as scope:
            result = function()
        return result, [scope.get_current_value(variable) for variable in self.variables]


class AdversarialStep(Hooks):
    """The `train_step` of `AdversarialModel`; it calls that class's hooks and knows nothing of what is behind them."""

    def train_step(self, state: Sequence[Sequence[Any]], data: Any) -> tuple[dict[str, Any], tuple[list[Any], ...]]:
        """State and result as Keras's JAX trainer wants them: trainable, non-trainable, optimizer and metric variables."""
        real = self.real_voxels(data)
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        all_of = _Variables(variable for group in groups for variable in group)
        values = [value for group in state for value in group]

        def generate(weights: list[Any]) -> tuple[Any, list[Any]]:
            start = all_of.put(values, self.generator.trainable_variables, weights)
            return all_of.run(start, lambda: self(self.sample_latents(ops.shape(real)[0]), training=True))

        weights = all_of.pick(values, self.generator.trainable_variables)
        fake, pull_generator, values = jax.vjp(generate, weights, has_aux=True)
        logs, values = self._update_discriminator(all_of, values, real, fake)
        guidance, more, values = self._update_guiding(all_of, values, self.guidance(data))
        logs |= more
        more, values = self._update_generator(all_of, values, pull_generator, fake, real, guidance)
        logs |= more
        logs |= self.describe(fake)

        def finish() -> dict[str, Any]:
            self.after_step(logs)
            return self.track(logs)

        result, values = all_of.run(values, finish)
        return result, tuple(all_of.pick(values, group) for group in groups)

    def _update_discriminator(
        self, all_of: _Variables, values: list[Any], real: Any, fake: Any
    ) -> tuple[dict[str, Any], list[Any]]:
        variables = self.discriminator.trainable_variables

        def loss_of(weights: list[Any]) -> tuple[Any, tuple[dict[str, Any], list[Any]]]:
            start = all_of.put(values, variables, weights)
            (loss, logs), after = all_of.run(start, lambda: self.discriminator_loss(real, fake))
            return loss, (logs, after)

        loss, pull, (logs, values) = jax.vjp(loss_of, all_of.pick(values, variables), has_aux=True)
        logs = {**logs, "d_loss": loss}

        def update(values: list[Any]) -> tuple[Any, list[Any]]:
            [gradients] = pull(jnp.ones_like(loss))
            _, values = all_of.run(values, lambda: self.d_optimizer.apply(gradients, variables))
            return _norm(gradients), values

        trains, values = all_of.run(values, lambda: self.discriminator_trains(logs))
        norm, values = _run_if(trains, update, values)
        return {**logs, "d_trained": ops.cast(trains, "float32"), "d_gradient_norm": norm}, values

    def _update_guiding(
        self, all_of: _Variables, values: list[Any], guidance: Guidance | None
    ) -> tuple[list[Any] | None, dict[str, Any], list[Any]]:
        """The gradients of a guidance for the generator, after the other network has been updated with its own."""
        if guidance is None:
            return None, {}, values
        parts = (guidance.network.trainable_variables, self.generator.trainable_variables)

        def loss_of(*weights: list[Any]) -> tuple[Any, tuple[dict[str, Any], list[Any]]]:
            start = values
            for variables, picked in zip(parts, weights, strict=True):
                start = all_of.put(start, variables, picked)
            (loss, logs), after = all_of.run(start, guidance.loss)
            return loss, (logs, after)

        picked = [all_of.pick(values, variables) for variables in parts]
        (mine, others), (logs, values) = jax.grad(loss_of, (0, 1), has_aux=True)(*picked)
        _, values = all_of.run(values, lambda: guidance.optimizer.apply(mine, parts[0]))
        return others, {**logs, f"{guidance.prefix}_gradient_norm": _norm(mine)}, values

    def _update_generator(
        self,
        all_of: _Variables,
        values: list[Any],
        pull_generator: Callable[..., Any],
        fake: Any,
        real: Any,
        guidance: list[Any] | None,
    ) -> tuple[dict[str, Any], list[Any]]:
        variables = self.generator.trainable_variables

        def loss_of(fake: Any) -> tuple[Any, list[Any]]:
            return all_of.run(values, lambda: self.generator_loss(fake, real))

        loss, pull, values = jax.vjp(loss_of, fake, has_aux=True)

        def update(values: list[Any]) -> tuple[Any, list[Any]]:
            [gradients] = pull_generator(*pull(jnp.ones_like(loss)))
            if guidance is not None:
                gradients = [one + two for one, two in zip(gradients, guidance, strict=True)]

            def apply() -> None:
                self.g_optimizer.apply(gradients, variables)
                self.update_average()

            _, values = all_of.run(values, apply)
            return _norm(gradients), values

        trains, values = all_of.run(values, self.generator_trains)
        norm, values = _run_if(trains, update, values)
        return {"g_loss": loss, "g_trained": ops.cast(trains, "float32"), "g_gradient_norm": norm}, values


def _run_if(
    condition: Any, update: Callable[[list[Any]], tuple[Any, list[Any]]], values: list[Any]
) -> tuple[Any, list[Any]]:
    """`update(values)` where `condition` holds; else 0 and the values as they were, the backward pass saved too."""
    if condition is True:
        return update(values)
    return jax.lax.cond(condition, update, lambda values: (jnp.zeros(()), values), values)


def _norm(gradients: Iterable[Any]) -> Any:
    return jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
