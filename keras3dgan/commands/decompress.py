"""Turns .g3c files and .g3a archives into shapes: meshes (.glb .obj .stl .ply) or grids (.binvox .npy .npz).

keras3dgan decompress --model=runs/compressor chair.g3c --output=chair.glb
keras3dgan decompress --model=runs/compressor --format=stl --output=shapes small
"""

from absl import flags

from keras3dgan.commands import cli

TAKES_FILES = True

cli.add(flags.DEFINE_string, "model", None, "run that compressed them", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add(flags.DEFINE_boolean, "overwrite", False, "replace files that are there already, when --output is not given")
flags.mark_flag_as_required("model")


def main(words):
    from keras3dgan.codec.neural import NeuralCodec
    from keras3dgan.commands import conversion

    flag_values = (cli.FLAGS.output, cli.FLAGS.format, cli.FLAGS.overwrite)
    conversion.decompress(lambda: NeuralCodec.load(cli.FLAGS.model), words, *flag_values)


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES)
