"""The folder of a preset, as paths and JSON."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import shutil
from collections.abc import Iterator
from typing import Any

from keras3dgan.errors import InputError
from keras3dgan.runs import Run, read_object

# What metadata.json has of a run's config.json.
OF_CONFIG = ("kind", "settings", "parts", "commit", "versions", "hardware")

# Members of metadata.json that are used, and their types; a preset that tells of no run has none of them.
_KNOWN = {"kind": str, "settings": dict, "result": dict, "coders": list}


class Preset(Run):
    """A preset: KerasHub's `config.json` (the model), `metadata.json` and `model.weights.h5`, the entropy tables of a codec in
    `assets/`, and a model card, `README.md`.

    To whoever asks, it is the finished run that it was saved from, as `metadata.json` tells; it trains no further.

    Args:
        path: the folder.
        name: what to call it; default: the folder.

    Example:
        >>> from keras3dgan import presets
        >>> preset = presets.shipped()["voxnet_furniture_32"]
        >>> preset.metadata()["kind"]
        'voxnet'
    """

    def __init__(self, path: str | os.PathLike[str], name: str | None = None):
        super().__init__(path, writes=False)
        self._name = name or str(path)
        self.models = self.path / "assets"
        self.config_file = self.path / "config.json"
        self.metadata_file = self.path / "metadata.json"
        self.weights_file = self.path / "model.weights.h5"

    @staticmethod
    def is_preset(path: str | os.PathLike[str]) -> bool:
        """Whether a path is a preset's folder."""
        return all((pathlib.Path(path) / name).is_file() for name in ("config.json", "metadata.json"))

    @property
    def name(self) -> str:
        return self._name

    def model_config(self) -> dict[str, Any]:
        """The content of `config.json`, a serialised Keras object."""
        return read_object(self.config_file)

    def metadata(self) -> dict[str, Any]:
        """The content of `metadata.json`."""
        return read_object(self.metadata_file, known=_KNOWN)

    def config(self) -> dict[str, Any]:
        """What the run's `config.json` said.

        Raises:
            InputError: it was saved by `save_to_preset`, which knows of no run.
        """
        metadata = self.metadata()
        if not {"kind", "settings"} <= metadata.keys():
            raise InputError(
                f"{self.name}: its metadata.json tells of no training; load it with from_preset, or save it with save_preset."
            )
        return {key: metadata.get(key) for key in OF_CONFIG}

    def result(self) -> dict[str, Any]:
        return self.metadata().get("result") or {}

    @staticmethod
    @contextlib.contextmanager
    def writing(path: str | os.PathLike[str]) -> Iterator[Preset]:
        """Gives a preset in a folder beside `path`, moved there when the block ends without an error.

        Raises:
            InputError: something else is there.
        """
        path = pathlib.Path(path)
        if path.exists() and not Preset.is_preset(path) and not (path.is_dir() and not any(path.iterdir())):
            raise InputError(f"{path}: is there and holds no preset; choose another folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, old = (path.with_name(f".{path.name}.{secrets.token_hex(4)}.{word}") for word in ("tmp", "old"))
        try:
            temporary.mkdir()
            preset = Preset(temporary, str(path))
            preset.writes = True
            yield preset
            if path.exists():
                os.rename(path, old)
            try:
                os.rename(temporary, path)
            except OSError:
                if old.exists():
                    os.rename(old, path)
                raise
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
