"""Learns what 3D objects look like and uses that to compress them."""

import importlib
import importlib.util
import os
import pathlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras3dgan.api import compress, decompress, generate

__version__ = "0.1.0"
__all__ = ["compress", "decompress", "generate"]

# TensorFlow reads this when it is loaded. On CPUs without AVX512 it leaves oneDNN off, and 3D convolutions are then thirty
# times as slow.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name: str) -> Any:
    # Here: what they need takes half a second to import.
    if name in __all__:
        from keras3dgan import api

        return getattr(api, name)
    raise AttributeError(f"module 'keras3dgan' has no attribute '{name}'")


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


class _AfterKeras:
    """Registers the networks as soon as Keras has been imported, so that their `.keras` files load; until then nothing is."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                if not cls._is_importing():  # else models would import what is half there
                    importlib.import_module("keras3dgan.models")

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec

    @staticmethod
    def _is_importing() -> bool:
        """Whether a module of this package is being imported, which asked for Keras."""
        ours = (module for name, module in [*sys.modules.items()] if name.startswith("keras3dgan."))
        return any(getattr(module.__spec__, "_initializing", False) for module in ours)


if sys.modules.get("keras") is not None:
    importlib.import_module("keras3dgan.models")
else:
    sys.meta_path.insert(0, _AfterKeras)
if (_CheckoutFolders.root / "setup.py").is_file() and (_CheckoutFolders.root / "export").is_dir():
    sys.meta_path.insert(0, _CheckoutFolders)
