"""Learns what 3D objects look like and uses that to compress them."""

import pathlib

__version__ = "0.1.0"

# In a checkout the data set builders lie in `datasets/` beside this package; an install maps them to
# `keras3dgan.datasets` (see setup.py). Looking there too makes both import the same names.
_root = pathlib.Path(__file__).resolve().parent.parent
if (_root / "setup.py").is_file():
    __path__.append(str(_root))
del _root
