"""One module for each thing that can be trained. Nobody else asks for the kind of a run.

A module gives `RECIPE`, a `training.recipe.Recipe`; being in this folder is all it takes to have a command `train_<kind>`, a
section in reports, and whatever else it offers. Modules import Keras where they need it, so that `--help` waits for nothing.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from typing import TYPE_CHECKING, Any

from keras3dgan import codec, presets
from keras3dgan.codec.goals import Goal
from keras3dgan.errors import InputError
from keras3dgan.runs import Run

if TYPE_CHECKING:
    from keras3dgan.codec.shape_codec import ShapeCodec
    from keras3dgan.training.recipe import Recipe


def kinds() -> list[str]:
    """The names of all recipes."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def recipe(kind: str) -> Recipe:
    """The recipe of a name.

    Raises:
        InputError: there is none.
    """
    if kind not in kinds():
        raise InputError(f"'{kind}' is no kind of training; choose one of {', '.join(kinds())}.", "kind")
    return importlib.import_module(f"{__name__}.{kind}").RECIPE


def recipe_of(run: Run) -> Recipe:
    """The recipe that a run was trained by.

    Raises:
        InputError: no run, or one of a kind that is unknown here.
    """
    kind = run.kind
    if kind not in kinds():
        raise InputError(f"{run.name}: is of kind '{kind:.80}', which this version does not know; update it.")
    return recipe(kind)


def offer(run: Run, what: str) -> Any:
    """What the recipe of a run offers, an attribute of `Recipe`.

    Raises:
        InputError: no run, or of a kind that offers no such thing.
    """
    found = getattr(recipe_of(run), what)
    if found is None:
        name, it = what.replace("_", " "), "preset" if isinstance(run, presets.Preset) else "run"
        raise InputError(f"{run.name}: a {it} of kind '{run.kind}' has no {name}; give one of {sources(what)}.")
    return found


def sources(what: str) -> str:
    """The commands whose runs offer something, an attribute of `Recipe`, and the presets of this package that do."""
    commands = [f"train_{kind}" for kind in kinds() if getattr(recipe(kind), what) is not None]
    return ", ".join([*commands, *preset_names(what)])


def preset_names(what: str) -> list[str]:
    """The presets of this package that offer something, an attribute of `Recipe`."""
    return [name for name, preset in presets.shipped().items() if _offers(preset, what)]


def _offers(preset: presets.Preset, what: str) -> bool:
    network = preset.metadata().get("network")
    if network or what == "discriminator":  # which is a preset by itself
        return what == network
    return getattr(recipe_of(preset), what) is not None


def find(address: str | os.PathLike[str], what: str) -> Run | None:
    """As `presets.find`, where octree models are taken too, by name or as `.npz`: None.

    Args:
        address: see there.
        what: the attribute of `Recipe` that it is to offer, for the message.

    Raises:
        InputError: it is neither.
    """
    if found := presets.find(address):
        return found
    if str(address) in codec.shipped() or str(address).endswith(".npz"):
        return None
    known = ", ".join([*codec.shipped(), *preset_names(what)])
    raise InputError(f"{address}: no run, no preset and no octree .npz; give one, or a name: {known}.")


def load_codec(name_or_path: str | os.PathLike[str] = codec.DEFAULT, goal: Goal = Goal()) -> ShapeCodec:
    """Loads a codec: of a run or a preset, or as `codec.load`.

    Args:
        name_or_path: what `presets.find` finds, of a kind that trains a codec; a shipped octree model's name, or its `.npz`.
        goal: what streams are to reach; default: the best of the codec, every voxel exact where it can.

    Raises:
        InputError: no such model, it is damaged, or its training has not finished.
    """
    if run := find(name_or_path, "codec"):
        return offer(run, "codec")(run, goal)
    return codec.load(name_or_path, goal)
