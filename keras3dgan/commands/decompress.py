"""Turns .g3c files into shapes: meshes (.glb .obj .stl .ply) or grids (.binvox .npy .npz).

keras3dgan decompress --model=runs/compressor chair.g3c --output=chair.glb
keras3dgan decompress --model=runs/compressor --format=stl --output=shapes small
"""

import pathlib

from absl import flags

from keras3dgan.commands import cli, files
from keras3dgan.errors import InputError

TAKES_FILES = True

cli.add(flags.DEFINE_string, "model", None, "run that compressed them", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add(flags.DEFINE_boolean, "overwrite", False, "replace files that are there already, when --output is not given")
flags.mark_flag_as_required("model")


def main(words):
    import tqdm

    from keras3dgan.codec import container
    from keras3dgan.codec.neural import NeuralCodec
    from keras3dgan.voxels import io

    pairs = files.plan(words, cli.FLAGS.output, (".g3c",), f".{cli.FLAGS.format}")
    for _, target in pairs:
        if target.suffix.lower() not in io.WRITABLE:
            raise InputError(f"{target}: this kind is not written; use one of {', '.join(io.WRITABLE)}.")
        # Beside chair.g3c may lie the chair.glb that it was made from.
        if target.exists() and not cli.FLAGS.output and not cli.FLAGS.overwrite:
            raise InputError(f"{target}: is there already; name another --output, or give --overwrite.")
    codec = NeuralCodec.load(cli.FLAGS.model)
    failed: list[str] = []
    written: list[pathlib.Path] = []
    for source, target in tqdm.tqdm(pairs, disable=len(pairs) <= 1, desc="decompress"):
        try:
            io.write_shape(target, codec.decode([container.read(source)], [str(source)])[0])
            written.append(target)
        except InputError as error:
            failed.append(str(error))
    if written:
        print(f"{written[0]}" if len(pairs) == 1 else f"{len(written)} files, first {written[0]}")
    if failed:
        raise InputError(
            f"{len(failed)} of {len(pairs)} failed:\n  " + "\n  ".join(failed) if len(pairs) > 1 else failed[0]
        )


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES)
