"""Turns shapes into .g3c files: meshes (.off .obj .stl .ply .glb .gltf) and grids (.binvox .mat .npy .npz).

keras3dgan compress chair.obj                                  # every voxel exact
keras3dgan compress --min_iou=0.9 --output=small folder_of_models
keras3dgan compress --model=runs/compressor chair.obj
"""

from absl import flags

from keras3dgan.codec import DEFAULT
from keras3dgan.commands import cli
from keras3dgan.errors import InputError

TAKES_FILES = True
NEEDS_BACKEND = False

cli.add(
    flags.DEFINE_string,
    "model",
    DEFAULT,
    "a name, an octree model's .npz, or a run of train_octree, train_compressor or train_autoencoder",
    cli.MODEL,
)
cli.add(
    flags.DEFINE_boolean, "lossless", False, "every voxel exact, as octree models do unless told otherwise", cli.MODEL
)
cli.add(flags.DEFINE_integer, "bytes", None, "at most so many bytes a shape", cli.MODEL)
cli.add(flags.DEFINE_float, "mean_bytes", None, "at most so many bytes a shape on average", cli.MODEL)
cli.add(flags.DEFINE_float, "min_iou", None, "the fewest bytes with at least this IoU", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    cli.enum("auto", "y", "z"), "up", "auto", "axis that points up in the files: auto (y for glTF, z otherwise), y or z"
)


def main(words):
    from keras3dgan.codec.goals import Goal
    from keras3dgan.commands import conversion

    goal = Goal(cli.FLAGS.bytes, cli.FLAGS.mean_bytes, cli.FLAGS.min_iou)
    if cli.FLAGS.lossless and goal != Goal():
        raise InputError("give one of --lossless, --bytes, --mean_bytes and --min_iou.")
    if cli.FLAGS.lossless:
        goal = Goal(min_iou=1.0)
    conversion.compress(lambda: cli.load_codec(goal), words, cli.FLAGS.output, cli.FLAGS.up, verify=True)


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES, NEEDS_BACKEND)
