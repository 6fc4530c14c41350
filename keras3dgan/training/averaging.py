"""The running mean of a model's weights that Keras's optimizers keep (`use_ema`), used wherever a model is measured or saved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Inside, the trainable weights are their running mean; without one nothing changes.

    Values are copied, where Keras's `SwapEMAWeights` adds and subtracts: afterwards the weights are the same to the bit.
    """
    optimizer = model.optimizer
    if not getattr(optimizer, "use_ema", False):
        yield
        return
    variables = optimizer._trainable_variables
    before = [keras.ops.copy(variable.value) for variable in variables]
    for variable, mean in zip(variables, optimizer._model_variables_moving_average, strict=True):
        variable.assign(mean)
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


class MeasureAveraged(keras.callbacks.Callback):
    """Validates with the running mean of the weights."""

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self._inside = averaged(self.model)
        self._inside.__enter__()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        self._inside.__exit__(None, None, None)
