"""Turns shapes into .g3c files: meshes (.off .obj .stl .ply .glb .gltf) and grids (.binvox .mat .npy .npz).

keras3dgan compress --model=runs/compressor chair.obj
keras3dgan compress --model=runs/compressor --output=small folder_of_models
"""

import pathlib

from absl import flags

from keras3dgan.commands import cli, files
from keras3dgan.errors import InputError

TAKES_FILES = True

cli.add(flags.DEFINE_string, "model", None, "run of train_compressor or train_autoencoder", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    cli.enum("auto", "y", "z"), "up", "auto", "axis that points up in the files: auto (y for glTF, z otherwise), y or z"
)
flags.mark_flag_as_required("model")

_BATCH = 32


def main(words):
    import numpy as np
    import tqdm

    from keras3dgan.codec import container
    from keras3dgan.codec.neural import NeuralCodec
    from keras3dgan.voxels import io
    from keras3dgan.voxels.grid import packed_size

    pairs = files.plan(words, cli.FLAGS.output, io.READABLE, ".g3c")
    for _, target in pairs:
        if target.suffix != ".g3c":
            raise InputError(f"--output: {target} must end in .g3c, or be a folder.")
    codec = NeuralCodec.load(cli.FLAGS.model)
    failed: list[str] = []
    written: list[pathlib.Path] = []
    size = 0
    for start in tqdm.tqdm(range(0, len(pairs), _BATCH), disable=len(pairs) <= _BATCH, desc="compress"):
        grids, targets = [], []
        for source, target in pairs[start : start + _BATCH]:
            try:
                grids.append(io.read_shape(source, codec.resolution, cli.FLAGS.up))
                targets.append(target)
            except InputError as error:
                failed.append(str(error))
        for target, content in zip(targets, codec.encode(np.stack(grids)) if grids else [], strict=True):
            container.write(target, content)
            written.append(target)
            size += len(content)
    if written:
        where = f"{written[0]}" if len(pairs) == 1 else f"{len(written)} files, first {written[0]}"
        mean = size / len(written)
        ratio = packed_size(codec.resolution) / mean
        print(f"{where}: {mean:.0f} bytes a shape, {ratio:.1f} times smaller than its {codec.resolution}^3 bits")
    if failed:
        raise InputError(
            f"{len(failed)} of {len(pairs)} could not be read:\n  " + "\n  ".join(failed)
            if len(pairs) > 1
            else failed[0]
        )


if __name__ == "__main__":
    cli.run(main, __doc__, TAKES_FILES)
