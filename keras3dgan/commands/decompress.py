"""Turns .g3c files and .g3a archives into shapes: meshes (.glb .obj .stl .ply) or grids (.binvox .npy .npz).

keras3dgan decompress chair.g3c --output=chair.glb
keras3dgan decompress --model=runs/compressor --format=stl --output=shapes small
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from absl import flags

from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.codec.shipped import DEFAULT, shipped_as
from keras3dgan.commands import cli

TAKES_FILES = True
NEEDS_BACKEND = False

cli.add(
    flags.DEFINE_string,
    "model",
    None,
    "what compressed them: an octree model's .npz, or a run; streams of the package's models say so themselves",
    cli.MODEL,
)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add_overwrite()


def main(words: Sequence[str]) -> None:
    """Restores the files, archives and folders that `words` name."""
    from keras3dgan.commands import conversion

    flag_values = (cli.FLAGS.output, cli.FLAGS.format, cli.FLAGS.overwrite)
    conversion.decompress(codec_of, words, *flag_values)


@functools.cache
def codec_of(fingerprint: bytes) -> ShapeCodec:
    """The codec that --model names; by default the shipped one that wrote a stream."""
    if cli.FLAGS.model:
        return cli.load_codec(cli.FLAGS.model)
    return cli.load_codec(shipped_as(fingerprint) or DEFAULT)
