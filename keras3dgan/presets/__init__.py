"""Presets as in KerasHub: named, trained weights. (Named settings of a training are recipe presets, another thing.)

Those that come with the package are the folders beside this file. `get` finds trained models by whatever names them.
"""

from __future__ import annotations

import os
import pathlib

from keras3dgan.errors import InputError
from keras3dgan.presets import hub
from keras3dgan.presets.preset import Preset
from keras3dgan.runs import Run

__all__ = ["FOLDER", "Preset", "find", "get", "shipped", "written_by"]

FOLDER = pathlib.Path(__file__).parent


def shipped() -> dict[str, Preset]:
    """Those that come with the package, by name."""
    folders = sorted(path for path in FOLDER.iterdir() if Preset.is_preset(path))
    return {path.name: Preset(path, path.name) for path in folders}


def find(address: str | os.PathLike[str]) -> Run | None:
    """The preset or run that an address names: a preset's name, its folder, `hf://owner/name`, or a run's folder.

    Returns:
        It, or None where there is nothing of that name.

    Raises:
        InputError: an `hf://` address, and what it names cannot be had.
    """
    text = os.fspath(address)
    if text.startswith(hub.PREFIX):
        return Preset(hub.fetch(text), text)
    if text in (known := shipped()):
        return known[text]
    if Preset.is_preset(text):
        return Preset(text)
    return Run(text) if Run.is_run(text) else None


def get(address: str | os.PathLike[str], setting: str | None = None) -> Run:
    """As `find`.

    Args:
        address: see there.
        setting: which one gave the address, for the message.

    Raises:
        InputError: there is nothing of that name, or it cannot be had.
    """
    if found := find(address):
        return found
    if pathlib.Path(address).exists():
        return Run(address)  # which says what is missing there
    known = ", ".join(shipped())
    remedy = f"choose one of the presets {known}, or train one first" if known else "train one first"
    raise InputError(f"'{os.fspath(address)}' is no preset, and no folder of one or of a run; {remedy}.", setting)


def written_by(fingerprint: bytes) -> str | None:
    """The name of the preset of this package whose streams begin with this fingerprint; None if there is none."""
    for name, preset in shipped().items():
        if any(bytes.fromhex(whole).startswith(fingerprint) for whole in preset.metadata().get("coders", [])):
            return name
    return None
