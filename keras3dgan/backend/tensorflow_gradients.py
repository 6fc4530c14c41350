"""Gradients on TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import ops


def input_gradients(function: Callable[[Any], Any], x: Any) -> Any:
    """The gradient of sum(function(x)) with respect to x, itself differentiable with respect to the weights."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = ops.sum(function(x))
    return tape.gradient(total, x)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors, compiled for each shape of theirs."""
    return tf.function(function)
