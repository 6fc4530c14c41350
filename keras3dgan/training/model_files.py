"""Trained Keras models in the folder of a run."""

from __future__ import annotations

import os
import tempfile

import keras

import keras3dgan.models  # noqa: F401  registers the classes that model files name
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.runs import Run


def save_model(run: Run, name: str, model: keras.Model) -> None:
    """Writes `models/<name>.keras`. Of several hosts all must call it: reading metrics takes them all."""
    if run.writes:
        with replacing(run.models / f"{name}.keras") as temporary:
            model.save(temporary)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model.save(os.path.join(folder, f"{name}.keras"))


def load_model(run: Run, name: str) -> keras.Model:
    """Reads `models/<name>.keras`.

    Raises:
        InputError: this run has no such model, or its file is damaged.
    """
    path = run.model_file(f"{name}.keras")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise InputError(f"{path}: a damaged model file; run its training again.") from error
