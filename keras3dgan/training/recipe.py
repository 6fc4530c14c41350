"""What a thing that can be trained tells the rest of the program about itself."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.runs import Run
from keras3dgan.training.settings import Settings

if TYPE_CHECKING:
    import keras

    from keras3dgan.codec.goals import Goal
    from keras3dgan.codec.latent.entropy_coder import EntropyCoder
    from keras3dgan.codec.shape_codec import ShapeCodec


@dataclasses.dataclass(frozen=True)
class Input:
    """A finished run that goes into a training, as its flag says.

    Attributes:
        kind: of that run.
        help: what it gives.
        required: whether the training can't go without.
    """

    kind: str
    help: str
    required: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """One model of a run that is exported by itself.

    Attributes:
        name: its folder, and its name on a server.
        role: what can be asked of it: `generator`, `encoder`, `decoder`, `classifier` or `picture_encoder`.
        model: the Keras model; a generator or decoder ends in logits.
        coder: of its latents, where it has some that are coded.
        latent_stddev: of a generator's latents, where shapes can be drawn; None where latents are only given to it.
        class_names: what a classifier tells apart.
    """

    name: str
    role: str
    model: keras.Model
    coder: EntropyCoder | None = None
    latent_stddev: float | None = None
    class_names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A kind of training: what it takes, how it runs, and what its runs offer. None where they offer no such thing.

    Attributes:
        kind: its name in runs and commands, as `gan` in `train_gan`.
        title: its name in tables and on pages.
        help: what `keras3dgan` says of its command.
        settings: its settings class; of a kind with variants, one for each value of the setting `variant`.
        presets: name -> what differs from the defaults; the first is the command's default.
        train: settings, run, options and the runs of `inputs` by name -> the content of `result.json`.
        line: what the command says of a result.
        inputs: runs that go in, by name.
        needs_keras: whether what its runs offer needs a backend of Keras.
        curves: panel -> metrics in it.
        facts: sentences on a finished run, for a page about it.
        task: what its models do, for the table of presets.
        preset: run -> the model that a preset of it holds.
        codec: run and goal -> the codec that it has trained.
        codec_name: settings -> how tables call that codec.
        parts: run -> the models to export, in the order in which a server may learn of them.
        generate: run, count, seed, temperature or None, classes -> new shapes (count, n, n, n) in [0, 1].
        generator: run -> its generator, latents to logits.
        discriminator: run -> its discriminator.
        reconstructor: run -> from pictures to shapes.
        classifier: run -> voxels to probabilities.

    Example:
        >>> from keras3dgan.recipes import recipe
        >>> recipe("voxnet").make_settings("test", epochs=1).epochs
        1
    """

    kind: str
    title: str
    help: str
    settings: type[Settings] | Mapping[str, type[Settings]]
    presets: Mapping[str, Mapping[str, Any]]
    train: Callable[..., dict[str, Any]]
    line: Callable[[dict[str, Any]], str]
    inputs: Mapping[str, Input] = dataclasses.field(default_factory=dict)
    needs_keras: bool = True
    curves: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    facts: Callable[[dict[str, Any]], list[str]] = lambda result: []
    task: str = ""
    preset: Callable[[Run], Any] | None = None
    codec: Callable[[Run, Goal], ShapeCodec] | None = None
    codec_name: Callable[[Mapping[str, Any]], str] | None = None
    parts: Callable[[Run], list[Part]] | None = None
    generate: Callable[[Run, int, int, float | None, Sequence[str]], np.ndarray] | None = None
    generator: Callable[[Run], keras.Model] | None = None
    discriminator: Callable[[Run], keras.Model] | None = None
    reconstructor: Callable[[Run], Any] | None = None
    classifier: Callable[[Run], keras.Model] | None = None

    def settings_class(self, variant: str | None = None) -> type[Settings]:
        """The class of settings, of a variant where there are several.

        Raises:
            InputError: there is no such variant.
        """
        if isinstance(self.settings, type):
            return self.settings
        if variant is None:
            return next(iter(self.settings.values()))
        if not isinstance(variant, str) or variant not in self.settings:
            raise InputError(f"must be one of {', '.join(self.settings)}, got '{variant}'.", "variant")
        return self.settings[variant]

    def fields(self) -> dict[str, dataclasses.Field[Any]]:
        """All settings by name, those of every variant."""
        classes = [self.settings] if isinstance(self.settings, type) else [*self.settings.values()]
        return {field.name: field for each in reversed(classes) for field in dataclasses.fields(each)}

    def make_settings(self, preset: str | None = None, **overrides: Any) -> Settings:
        """The settings of a preset, the first by default, with some values replaced.

        Raises:
            InputError: no such preset, a value out of its bounds, or a setting of another variant.
        """
        preset = preset or next(iter(self.presets))
        if preset not in self.presets:
            raise InputError(f"'{preset}' is unknown; choose one of {', '.join(self.presets)}.", "preset")
        values = {**self.presets[preset], **overrides}
        kind = self.settings_class(values.get("variant"))
        known = {field.name for field in dataclasses.fields(kind)}
        for name in overrides:
            if name not in known:
                variant = getattr(kind, "variant", None)
                what = f"variant '{variant}'" if variant else f"train_{self.kind}"
                raise InputError(f"is no setting of {what}; leave it out.", name)
        return kind(**{name: value for name, value in values.items() if name in known})

    def command(self, settings: Settings, inputs: Iterable[str] = ()) -> str:
        """The command that trains with these settings: the preset that comes nearest, and a flag for every other value.

        Args:
            settings: of this kind.
            inputs: names of the runs that go in.
        """
        values = dataclasses.asdict(settings)
        nearest = {name: _differing(values, dataclasses.asdict(self.make_settings(name))) for name in self.presets}
        preset = min(nearest, key=lambda name: len(nearest[name]))
        words = ["keras3dgan", f"train_{self.kind}", f"--workdir=runs/{self.kind}", f"--preset={preset}"]
        words += [f"--{name}=runs/{name}" for name in inputs]
        return " ".join([*words, *(_flag(name, values[name]) for name in nearest[preset])])

    def read_settings(self, run: Run) -> Any:
        """The settings of a run of this kind."""
        values = run.settings
        return self.settings_class(values.get("variant")).from_config(values)


def _differing(values: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    return [name for name, value in values.items() if name not in others or others[name] != value]


def _flag(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"--{name}={shlex.quote(text)}"
