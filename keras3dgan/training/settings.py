"""Settings of trainings: knobs that carry their help and their bounds."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from keras3dgan import augmentation
from keras3dgan.errors import InputError

S = TypeVar("S", bound="Settings")
PRECISIONS = ("float32", "mixed_bfloat16")


def knob(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: Collection[str] = (),
    check: Callable[[Any], str | None] | None = None,
) -> Any:
    """A field of a settings class.

    Args:
        default: its default; of a pair of numbers, both are bound and the first is at most the second.
        help: the sentence that `--help` shows.
        least: values below are refused.
        above: values up to this are refused.
        below: values from this on are refused.
        choices: the words that are allowed.
        check: gives what is wrong with a value, or None.
    """
    bounds = {"least": least, "above": above, "below": below, "choices": choices, "check": check}
    return dataclasses.field(default=default, metadata={"help": help, **bounds})


def check_value(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
    """Raises `InputError` where a value breaks the bounds of its knob."""
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if isinstance(number, float) and not math.isfinite(number):
            raise InputError(f"must be a finite number, got {number}.", name)
        if bounds["least"] is not None and not number >= bounds["least"]:
            raise InputError(f"must be at least {bounds['least']:g}, got {number:g}.", name)
        if bounds["above"] is not None and not number > bounds["above"]:
            raise InputError(f"must be above {bounds['above']:g}, got {number:g}.", name)
        if bounds["below"] is not None and not number < bounds["below"]:
            raise InputError(f"must be below {bounds['below']:g}, got {number:g}.", name)
    if len(numbers) == 2 and not isinstance(value[0], str) and value[0] > value[1]:
        raise InputError(f"the first number must not be above the second, got {value[0]:g},{value[1]:g}.", name)
    if bounds["choices"] and value not in bounds["choices"]:
        raise InputError(f"must be one of {', '.join(bounds['choices'])}, got '{value:.40}'.", name)
    if bounds["check"] and (wrong := bounds["check"](value)):
        raise InputError(wrong, name)


def check_fits(found: Mapping[str, Any], settings: Settings, place: object) -> None:
    """Raises `InputError` where a trained network's values, by name, are not those of the settings it is to go on with."""
    for name, value in found.items():
        if value != getattr(settings, name):
            raise InputError(f"is {value} in {place}, not {getattr(settings, name)}.", name)


def _power_of_two(value: int) -> str | None:
    if value < 8 or value & (value - 1):
        return f"must be a power of two, at least 8, got {value}."
    return None


def _augmentation(value: str) -> str | None:
    augmentation.parse(value)
    return None


@dataclasses.dataclass(frozen=True)
class Settings:
    """What all trainings share. A recipe's defaults are the report's.

    Raises:
        InputError: a value is out of its bounds.
    """

    dataset: str = knob("furniture_voxels", "a TFDS name, or a .npz: of ModelNet10 with X_train, ..., or with splits")
    classes: tuple[str, ...] = knob((), "train on these classes only, e.g. chair,sofa")
    resolution: int = knob(32, "voxels along an edge: 32 or 64; of octree models also 128", check=_power_of_two)
    batch_size: int = knob(100, "shapes a step", least=1)
    augmentation: str = knob(
        "none",
        "none; or some of flip (in x), mirror (in x and y), shift, stretch, rotate (about z)",
        check=_augmentation,
    )
    epochs: int = knob(100, "passes over the training shapes", least=1)
    seed: int = knob(0, "of weights, order, noise", least=0)
    precision: str = knob(
        "float32",
        "float32; mixed_bfloat16: layers compute in bfloat16; auto: that where it is fast",
        choices=(*PRECISIONS, "auto"),
    )
    xla: bool = knob(False, "compile the step with XLA; good on GPUs, ruinous on CPUs")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_value(field.name, getattr(self, field.name), field.metadata)

    @property
    def may_change(self) -> tuple[str, ...]:
        """Settings that a run may change when it goes on: they do not touch what it has learnt so far."""
        return ("epochs",)

    @classmethod
    def from_config(cls: type[S], values: Mapping[str, Any]) -> S:
        """The settings that a run's `config.json` records; those that are none of this class are left out."""
        known = {field.name: field.default for field in dataclasses.fields(cls)}
        read: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in known}
        for name, value in read.items():
            if not _is_like(value, known[name]):
                raise InputError(
                    f"must be of the kind of {known[name]!r}, got {value!r:.40}; choose another run.", name
                )
        return cls(**read)


@dataclasses.dataclass(frozen=True)
class MeasuredSettings(Settings):
    """Of trainings that measure what they are for while they run, and keep the best models (`best_models.BestModels`)."""

    measure_every: int = knob(10, "epochs between measurements on validation shapes; 0: none", least=0)
    patience: int = knob(0, "measurements without a better one after which training ends; 0: never", least=0)


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value from a file is of the type that a setting has."""
    if isinstance(default, tuple):
        kind = type(default[0]) if default else str
        return isinstance(value, tuple) and all(_is_like(each, kind()) for each in value)
    if isinstance(default, float):
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return isinstance(value, type(default))
