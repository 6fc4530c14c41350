"""Turns pictures (.png .jpg) into shapes: meshes (.glb .obj .stl .ply) or grids (.binvox .npy .npz).

keras3dgan reconstruct --model=runs/vae_gan chair.png --output=chair.glb
keras3dgan reconstruct --model=runs/vae_gan --format=stl --output=shapes folder_of_pictures
"""

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

TAKES_FILES = True
READABLE = (".png", ".jpg", ".jpeg")

cli.add(flags.DEFINE_string, "model", None, "run of train_vae_gan", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add(flags.DEFINE_string, "picture", None, "PNG file to write: pictures as the model sees them, and the shapes")
flags.mark_flag_as_required("model")


def main(words):
    """Makes shapes of the pictures and folders that `words` name."""
    from keras3dgan.commands import conversion, files
    from keras3dgan.pictures.framing import on_white, read_picture
    from keras3dgan.pictures.reconstructor import Reconstructor
    from keras3dgan.report import figures
    from keras3dgan.training.run_directory import RunDirectory
    from keras3dgan.voxels import io

    suffix = f".{cli.FLAGS.format}"
    if suffix not in io.WRITABLE:
        raise InputError(f"--format: '{cli.FLAGS.format}' is not written; use one of {', '.join(io.WRITABLE)}.")
    pairs = files.plan(words, cli.FLAGS.output, READABLE, suffix)
    for _, target in pairs:
        if target.suffix.lower() not in io.WRITABLE:
            raise InputError(f"{target}: this kind is not written; use one of {', '.join(io.WRITABLE)}.")
    model = Reconstructor.load(RunDirectory(cli.FLAGS.model))
    shown = []

    def read(source):
        picture = read_picture(source, model.size)
        [shape] = model.reconstruct(picture[None])
        shown.append((on_white(picture), shape))
        return shape

    conversion.convert_each("reconstruct", pairs, read)
    if cli.FLAGS.picture and shown:
        rows = [list(row) for row in zip(*shown[:8], strict=True)]
        figures.save(figures.shapes(rows, ("picture", "shape")), cli.FLAGS.picture)
        print(f"see {cli.FLAGS.picture}")


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES)
