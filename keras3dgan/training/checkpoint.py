"""Checkpoints: every variable of a training in one file, the same on every Keras backend."""

import dataclasses
import json
import os
import pathlib
import re
from typing import Any

import keras
import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import replacing

_KEEP = 2


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """All that a training goes on from: weights, statistics, random states, and the variables of every optimizer."""
    return [*model.variables, *model.optimizer.variables]


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """A copy of a training's state in memory.

    Attributes:
        progress: `epoch`, `step` and `seconds` of training.
        names: path of each variable.
        arrays: value of each variable.
    """

    progress: dict[str, float]
    names: list[str]
    arrays: list[np.ndarray]

    def put_into(self, model: keras.Model) -> None:
        """Gives the model's variables these values.

        Raises:
            ValueError: they belong to another model.
        """
        variables = state_variables(model)
        if [a.shape for a in self.arrays] != [tuple(v.shape) for v in variables]:
            raise ValueError("the state belongs to another model")
        for variable, array in zip(variables, self.arrays, strict=True):
            variable.assign(array)


def snapshot(model: keras.Model, progress: dict[str, float]) -> Snapshot:
    """Copies the state of a compiled model; `progress` comes back from `restore`."""
    variables = state_variables(model)
    arrays = [np.array(v.numpy()) for v in variables]
    return Snapshot(progress, [v.path for v in variables], arrays)


def save(folder: pathlib.Path, state: Snapshot) -> pathlib.Path:
    """Writes `checkpoint-<step>.npz` whole or not at all, and then removes all but the last two."""
    header = {"progress": state.progress, "variables": state.names}
    content: dict[str, Any] = {f"{index:05d}": array for index, array in enumerate(state.arrays)}
    content["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    path = folder / f"checkpoint-{int(state.progress['step']):09d}.npz"
    with replacing(path) as temporary:
        np.savez(temporary, **content)
    for old in found(folder)[:-_KEEP]:
        old.unlink()
    return path


def restore(folder: pathlib.Path, model: keras.Model) -> dict[str, float] | None:
    """Puts the newest checkpoint's values into the model and gives its progress; None where there is no checkpoint.

    Raises:
        InputError: the checkpoint is damaged or belongs to another model.
    """
    paths = found(folder)
    if not paths:
        return None
    path = paths[-1]
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            header = json.loads(content["header"].tobytes())
            _ = sum(header["progress"][name] for name in ("epoch", "step", "seconds"))  # they are numbers
            arrays = [content[f"{index:05d}"] for index in range(len(header["variables"]))]
    except Exception as error:
        raise InputError(f"{path}: a damaged checkpoint; delete it to go on from the one before.") from error
    try:
        Snapshot(header["progress"], header["variables"], arrays).put_into(model)
    except ValueError as error:
        raise InputError(f"{path}: belongs to another model; choose another folder.") from error
    return header["progress"]


def found(folder: pathlib.Path) -> list[pathlib.Path]:
    """The checkpoints in a folder, oldest first."""
    if not folder.is_dir():
        return []
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"checkpoint-\d{9}\.npz", name))
    return [folder / name for name in names]
