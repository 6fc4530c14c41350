"""Turns .g3c files and .g3a archives into shapes: meshes (.glb .obj .stl .ply) or grids (.binvox .npy .npz).

keras3dgan decompress chair.g3c --output=chair.glb
keras3dgan decompress --model=runs/compressor --format=stl --output=shapes small
"""

from absl import flags

from keras3dgan.codec import DEFAULT
from keras3dgan.commands import cli

TAKES_FILES = True
NEEDS_BACKEND = False

cli.add(
    flags.DEFINE_string, "model", DEFAULT, "what compressed them: a name, an octree model's .npz, or a run", cli.MODEL
)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add(flags.DEFINE_boolean, "overwrite", False, "replace files that are there already, when --output is not given")


def main(words):
    """Restores the files, archives and folders that `words` name."""
    from keras3dgan.commands import conversion

    flag_values = (cli.FLAGS.output, cli.FLAGS.format, cli.FLAGS.overwrite)
    conversion.decompress(cli.load_codec, words, *flag_values)


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES, NEEDS_BACKEND)
