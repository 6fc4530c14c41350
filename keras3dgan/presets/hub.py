"""Presets on the Hugging Face Hub, by `hf://owner/name`."""

from __future__ import annotations

import pathlib

from keras3dgan.errors import InputError, UnavailableError

PREFIX = "hf://"
# What a preset consists of; nothing else of a repository is fetched.
_FILES = ["config.json", "metadata.json", "model.weights.h5", "README.md", "assets/coder*.npz"]


def fetch(address: str) -> pathlib.Path:
    """The folder of a preset in `huggingface_hub`'s cache, fetched where it is not there yet.

    Raises:
        InputError: `huggingface_hub` is not installed, or it is no address of a preset.
        UnavailableError: it cannot be fetched.
    """
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise InputError(f"{address}: needs huggingface_hub; type pip install huggingface_hub.") from error
    repository = address.removeprefix(PREFIX)
    if len(repository.split("/")) != 2 or not all(repository.split("/")):
        raise InputError(f"{address}: a preset's address is {PREFIX}owner/name; give that.")
    try:
        folder = pathlib.Path(snapshot_download(repository, allow_patterns=_FILES))
    except Exception as error:  # the hub's own, those of its transport, and the operating system's
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UnavailableError(f"{address}: cannot be fetched ({reason}); check the name and the network.") from error
    if not all((folder / name).is_file() for name in _FILES[:3]):
        raise InputError(f"{address}: holds no preset, which has {', '.join(_FILES[:3])}; give another.")
    return folder
