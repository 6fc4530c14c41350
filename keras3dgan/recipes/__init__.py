"""One module for each thing that can be trained. Nobody else asks for the kind of a run.

A module gives `RECIPE`, a `training.recipe.Recipe`; being in this folder is all it takes to have a command `train_<kind>`, a
section in reports, and whatever else it offers. Modules import Keras where they need it, so that `--help` waits for nothing.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from typing import TYPE_CHECKING, Any

from keras3dgan import codec
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
        raise InputError(f"{run.path}: is a run of kind '{kind:.80}', which this version does not know; update it.")
    return recipe(kind)


def offer(run: Run, what: str) -> Any:
    """What the recipe of a run offers, an attribute of `Recipe`.

    Raises:
        InputError: no run, or of a kind that offers no such thing.
    """
    found = getattr(recipe_of(run), what)
    if found is None:
        others = [f"train_{kind}" for kind in kinds() if getattr(recipe(kind), what) is not None]
        name = what.replace("_", " ")
        raise InputError(f"{run.path}: a run of kind '{run.kind}' has no {name}; give one of {', '.join(others)}.")
    return found


def load_codec(name_or_path: str | os.PathLike[str] = codec.DEFAULT, goal: Goal = Goal()) -> ShapeCodec:
    """Loads a codec: of a run, or as `codec.load`.

    Args:
        name_or_path: the folder of a run that trains a codec, a shipped model's name, or the `.npz` of an octree model.
        goal: what streams are to reach; default: the best of the codec, every voxel exact where it can.

    Raises:
        InputError: no such model, it is damaged, or its training has not finished.
    """
    if Run.is_run(name_or_path):
        run = Run(name_or_path)
        return offer(run, "codec")(run, goal)
    return codec.load(name_or_path, goal)
