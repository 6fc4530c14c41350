"""Turns shapes into .g3c files: meshes (.off .obj .stl .ply .glb .gltf) and grids (.binvox .mat .npy .npz).

keras3dgan compress chair.obj                                  # every voxel exact
keras3dgan compress --min_iou=0.9 --output=small folder_of_models
keras3dgan compress --mean_bytes=15 --output=all.g3a folder_of_models
keras3dgan compress --model=runs/compressor chair.obj
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from absl import flags

from keras3dgan.codec.shipped import BEST, DEFAULT
from keras3dgan.commands import cli
from keras3dgan.errors import InputError

TAKES_FILES = True
NEEDS_BACKEND = False

cli.add_codec(None)
cli.add(
    flags.DEFINE_string, "output", None, "file or folder to write to, or all.g3a for one archive [beside the input]"
)
cli.add_reading()
cli.add_keep_placement()


def main(words: Sequence[str]) -> None:
    """Compresses the files and folders that `words` name."""
    from keras3dgan.commands import conversion

    goal = cli.goal()
    conversion.compress(
        lambda first: cli.load_codec(cli.FLAGS.model or suited(first), goal),
        words,
        cli.FLAGS.output,
        cli.reading(),
        verify=True,
        keep_placement=cli.FLAGS.keep_placement,
    )


def suited(first: pathlib.Path) -> str:
    """The model of the package for shapes like the first: that of its resolution, if it is a grid; else the default."""
    from keras3dgan.voxels import io

    if first.suffix.lower() not in io.GRIDS:
        return DEFAULT
    try:
        size = io.read_grid(first, **cli.reading()).shape[0]
    except InputError:
        return DEFAULT  # whoever reads it next says what is wrong
    return next((name for n, name in BEST.items() if size >= n), DEFAULT)
