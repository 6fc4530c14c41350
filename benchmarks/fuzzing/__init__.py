"""Kinds of inputs for `benchmarks/fuzz.py`, by name: each makes a damaged or hostile input and has the package read it.

A kind is made in an empty folder, which it may write to; its `attack(rng)` returns `accepted` or `error`, and raises what
nobody foresaw. Where its `batch` is above 1, `attack_many(rngs)` does the same for as many, and what nobody foresaw is a
`fault` with its traceback.
"""

import importlib
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2])]  # inputs are made of what the tests make
# Where each is, and how many of 200 inputs are of it. A name behind a colon goes to the class.
KINDS = {
    "stream": ("packed:Streams", 30),
    "archive": ("packed:Archives", 10),
    "model": ("packed:Models", 10),
    "run": ("run_folders:RunFolders", 20),
    "request": ("requests:Requests", 20),
    **{
        suffix: ("shapes:Shapes", 11)
        for suffix in ("obj", "off", "ply", "stl", "glb", "gltf", "mat", "binvox", "npy", "npz")
    },
}


def make(kind: str, folder):
    """The kind of a name."""
    module, _, name = KINDS[kind][0].partition(":")
    return getattr(importlib.import_module(f"fuzzing.{module}"), name)(kind, folder)
