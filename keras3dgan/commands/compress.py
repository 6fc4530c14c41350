"""Turns shapes into .g3c files: meshes (.off .obj .stl .ply .glb .gltf) and grids (.binvox .mat .npy .npz).

keras3dgan compress --model=runs/compressor chair.obj
keras3dgan compress --model=runs/compressor --output=small folder_of_models
"""

from absl import flags

from keras3dgan.commands import cli

TAKES_FILES = True

cli.add(flags.DEFINE_string, "model", None, "run of train_compressor or train_autoencoder", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    cli.enum("auto", "y", "z"), "up", "auto", "axis that points up in the files: auto (y for glTF, z otherwise), y or z"
)
flags.mark_flag_as_required("model")


def main(words):
    from keras3dgan.codec.neural import NeuralCodec
    from keras3dgan.commands import conversion

    conversion.compress(lambda: NeuralCodec.load(cli.FLAGS.model), words, cli.FLAGS.output, cli.FLAGS.up)


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES)
