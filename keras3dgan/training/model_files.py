"""Trained Keras models in the folder of a run."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import keras

import keras3dgan.models  # noqa: F401  registers the classes that model files name
from keras3dgan.files import replacing
from keras3dgan.models import preset_files
from keras3dgan.presets import Preset
from keras3dgan.runs import Run


def save_model(run: Run, name: str, model: keras.Model) -> None:
    """Writes `models/<name>.keras`. Of several hosts all must call it: reading metrics takes them all."""
    if run.writes:
        with replacing(run.models / f"{name}.keras") as temporary:
            model.save(temporary)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model.save(os.path.join(folder, f"{name}.keras"))


def load_model(run: Run, name: str) -> Any:
    """The model that a run has as `models/<name>.keras`, or that a preset holds of it.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    return load_models(run, name)[0]


def load_models(run: Run, *names: str) -> list[Any]:
    """As `load_model`, several."""
    if isinstance(run, Preset):
        return preset_files.load_networks(run, names)
    return [preset_files.network(run, name) for name in names]
