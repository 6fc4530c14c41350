"""Gradients on JAX."""

from collections.abc import Callable
from typing import Any

import jax
from keras import ops


def input_gradients(function: Callable[[Any], Any], x: Any) -> Any:
    """The gradient of sum(function(x)) with respect to x, itself differentiable with respect to the weights."""
    return jax.grad(lambda inputs: ops.sum(function(inputs)))(x)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors, compiled for each shape of theirs."""
    return jax.jit(function)
