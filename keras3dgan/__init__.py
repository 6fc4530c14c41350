"""Learns what 3D objects look like and uses that to compress them."""

import importlib.util
import pathlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__version__ = "0.1.0"


class _CheckoutFolders:
    """Finds `keras3dgan.datasets` and `keras3dgan.export` in a checkout, where they lie beside this package.

    An install maps the folders to these names (see setup.py); nothing else of a checkout becomes importable.
    """

    root = pathlib.Path(__file__).resolve().parent.parent

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in ("keras3dgan.datasets", "keras3dgan.export"):
            return None
        folder = cls.root / name.rpartition(".")[2]
        return importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )


if (_CheckoutFolders.root / "setup.py").is_file() and (_CheckoutFolders.root / "export").is_dir():
    sys.meta_path.insert(0, _CheckoutFolders)
