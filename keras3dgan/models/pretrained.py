"""What models learn from KerasHub: `from_preset`, `save_to_preset` and `presets`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

from keras3dgan import presets
from keras3dgan.errors import InputError
from keras3dgan.models import preset_files
from keras3dgan.presets import Preset
from keras3dgan.runs import Run


class _ClassProperty:
    """A property of a class; KerasHub's `presets` is one."""

    def __init__(self, get: Callable[[Any], Any]):
        self._get = get

    def __get__(self, instance: object, owner: type) -> Any:
        return self._get(owner)


class Pretrained:
    """A model that can be loaded with trained weights, and saved.

    Attributes:
        PARTS: of a model that consists of networks, the arguments of its constructor that they are.
        KIND: of such a model, the kind of training whose runs hold these networks.
        ALSO: names of classes that do the same, which `from_preset` gives too.
    """

    PARTS: tuple[str, ...] = ()
    KIND: str | None = None
    ALSO: tuple[str, ...] = ()

    @_ClassProperty
    def presets(cls) -> dict[str, dict[str, Any]]:
        """The presets of this package that `from_preset` takes: name -> content of `metadata.json`."""
        shipped = presets.shipped().items()
        return {name: each.metadata() for name, each in shipped if preset_files.place(each, cls) is not None}

    @classmethod
    def from_preset(cls, preset: str | os.PathLike[str]) -> Any:
        """A model of this class, or of one in `ALSO`, in float32, with trained weights.

        Args:
            preset: the name of one of `presets`; a folder that `save_to_preset` wrote; `hf://owner/name`, a repository on the
                Hugging Face Hub; or the folder of a run. Where the preset's model is of another class but has one network of
                this class, as the generator of a 3D-VAE-GAN, it is that network.

        Raises:
            InputError: there is no such preset, it is damaged, or holds nothing of this class.
        """
        found = presets.get(preset)
        if isinstance(found, Preset):
            return preset_files.load(found, cls)
        return _composed(found, cls) if cls.PARTS else preset_files.of_run(found, cls)

    def save_to_preset(self, preset_dir: str | os.PathLike[str]) -> None:
        """Writes a preset's folder: `config.json`, `metadata.json`, and `model.weights.h5` with kernels in float16.

        What came of a training tells more of itself if `keras3dgan save_preset` saves it.

        Args:
            preset_dir: the folder; a preset that lies there is replaced.

        Raises:
            InputError: something else lies there, or a weight is beyond what float16 holds.
        """
        with Preset.writing(preset_dir) as preset:
            preset_files.save(self, preset)


def _composed(run: Run, cls: Any) -> Any:
    """The model of this class, or of a subclass, that a run's networks make; what its loss is made of has its defaults."""
    kinds = {each.KIND: each for each in (cls, *cls.__subclasses__())}
    if run.kind not in kinds:
        raise InputError(f"{run.name}: is a run of kind '{run.kind}', which trains no {cls.__name__}; give another.")
    made = kinds[run.kind]
    arguments = inspect.signature(made).parameters
    needed = [name for name in made.PARTS if arguments[name].default is inspect.Parameter.empty]
    return made(**{name: preset_files.network(run, name) for name in needed})
