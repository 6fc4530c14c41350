"""Checkpoints: every variable of a training in one file, the same on every Keras backend."""

import json
import os
import pathlib
import re

import keras
import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import replacing

_KEEP = 2
_OPTIMIZERS = ("optimizer", "g_optimizer", "d_optimizer")


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """All that a training goes on from: weights, statistics, random states, and the variables of every optimizer."""
    variables = list(model.variables)
    for name in _OPTIMIZERS:
        optimizer = getattr(model, name, None)
        if optimizer is not None:
            variables += optimizer.variables
    return variables


def save(folder: pathlib.Path, model: keras.Model, progress: dict[str, float]) -> pathlib.Path:
    """Writes `checkpoint-<step>.npz` whole or not at all, and removes all but the last two.

    Args:
        folder: where checkpoints lie.
        model: the compiled model.
        progress: at least `step`; comes back from `restore`.
    """
    variables = state_variables(model)
    header = {"progress": progress, "variables": [v.path for v in variables]}
    arrays = {f"{index:05d}": keras.ops.convert_to_numpy(v.value) for index, v in enumerate(variables)}
    path = folder / f"checkpoint-{int(progress['step']):09d}.npz"
    with replacing(path) as temporary:
        np.savez(temporary, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
    for old in _checkpoints(folder)[:-_KEEP]:
        old.unlink()
    return path


def restore(folder: pathlib.Path, model: keras.Model) -> dict[str, float] | None:
    """Puts the newest checkpoint's values into the model and gives its progress; None where there is no checkpoint.

    Raises:
        InputError: the checkpoint is damaged or belongs to another model.
    """
    found = _checkpoints(folder)
    if not found:
        return None
    path = found[-1]
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            header = json.loads(content["header"].tobytes())
            arrays = [content[f"{index:05d}"] for index in range(len(header["variables"]))]
    except Exception as error:
        raise InputError(f"{path}: a damaged checkpoint; delete it to go on from the one before.") from error
    variables = state_variables(model)
    if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        raise InputError(f"{path}: belongs to another model; choose another --workdir.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return header["progress"]


def _checkpoints(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir():
        return []
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"checkpoint-\d{9}\.npz", name))
    return [folder / name for name in names]
