"""Optimizers by name, and how their learning rate falls."""

from __future__ import annotations

from typing import Any

import keras


def make_optimizer(
    name: str,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    beta_1: float = 0.9,
    weight_decay: float = 0.0,
    average: float = 0.0,
    momentum: float = 0.0,
) -> keras.optimizers.Optimizer:
    """An optimizer.

    Args:
        name: `adam`, `adamw` or `sgd`.
        learning_rate: a number or a schedule.
        beta_1: Adam's.
        weight_decay: AdamW's.
        average: share of the old value in a running mean of the weights (`training.averaging`); 0 keeps none.
        momentum: SGD's.
    """
    kept: dict[str, Any] = {"use_ema": True, "ema_momentum": average} if average else {}
    if name == "adamw":
        return keras.optimizers.AdamW(learning_rate, weight_decay, beta_1=beta_1, **kept)
    if name == "adam":
        return keras.optimizers.Adam(learning_rate, beta_1=beta_1, **kept)
    return keras.optimizers.SGD(learning_rate, momentum, **kept)


def cosine(learning_rate: float, steps: int, warm_up: int = 0) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rises for `warm_up` of the steps, and falls to zero along half a cosine (Loshchilov and Hutter 2017)."""
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / 100 if warm_up else learning_rate,
        max(1, steps - warm_up),
        warmup_target=learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )


def halved(learning_rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Halved every so many steps."""
    return keras.optimizers.schedules.ExponentialDecay(learning_rate, steps, 0.5, staircase=True)
