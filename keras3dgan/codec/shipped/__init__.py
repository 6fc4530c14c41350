"""The octree models that come with the package."""

from __future__ import annotations

import os
import pathlib

from keras3dgan import presets
from keras3dgan.errors import InputError

# Takes no more bytes for furniture than octree32, and fewer for all else; of the chairs drawn octree32's are more whole.
DEFAULT = "octree32_open"
DRAWN_FROM = "octree32"
# The best of each resolution, finest first.
BEST = {128: "octree128", 64: "octree64_open", 32: DEFAULT}
# Their fingerprints, so that a foreign stream's model is known without loading any; a test holds them to the files.
FINGERPRINTS = {
    "octree32": bytes.fromhex("2bde4d78fdfd030b958512ddfb1ab190ad6b2a0bf3d1a08ee5a93250c773985e"),
    "octree32_open": bytes.fromhex("339671008c0be0433bbc20c1ef4b181c4252bde68e9ee4e961d543ee7b47c891"),
    "octree64": bytes.fromhex("a2fc95e20761bd3467eb5fe1c429867cc582e48fa8758347ce8754ec6c90844a"),
    "octree64_open": bytes.fromhex("f822b18757bc850fff0f4d04be4b5cb1ffed99079f029b56979ce7bac308ebe6"),
    "octree128": bytes.fromhex("2e557842203e880714b83450cca439d4f6a381c9534162458cd7d9eeacb80642"),
}
_FOLDER = pathlib.Path(__file__).parent


def shipped() -> list[str]:
    """Their names."""
    return [*FINGERPRINTS]


def shipped_as(fingerprint: bytes) -> str | None:
    """The name of the octree model or the preset whose fingerprint begins so; None if there is none."""
    octree = next((name for name, whole in FINGERPRINTS.items() if whole.startswith(fingerprint)), None)
    return octree or presets.written_by(fingerprint)


def octree_file(name_or_path: str | os.PathLike[str]) -> pathlib.Path:
    """The file of an octree model, by its name or as a path.

    Raises:
        InputError: there is no such model.
    """
    path = pathlib.Path(name_or_path)
    if str(name_or_path) in FINGERPRINTS:
        return _FOLDER / f"{name_or_path}.npz"
    if path.suffix == ".npz" and path.is_file():
        return path
    raise InputError(f"{path}: no training run and no octree .npz; give one, or a name: {', '.join(FINGERPRINTS)}.")
