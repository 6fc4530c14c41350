"""Makes new shapes with a trained 3D-GAN.

keras3dgan generate --model=runs/gan --output=shapes --count=16
"""

import pathlib

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

cli.add(flags.DEFINE_string, "model", None, "run of train_gan", cli.MODEL)
cli.add(flags.DEFINE_integer, "count", 16, "how many shapes", cli.MODEL)
cli.add(flags.DEFINE_integer, "seed", 0, "other seeds give other shapes", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "folder to write to")
cli.add(flags.DEFINE_string, "format", "glb", "glb, obj, stl, ply, binvox, npy or npz")
flags.mark_flags_as_required(["model", "output"])

_PICTURED = 16


def main(_):
    import numpy as np

    from keras3dgan.report import figures
    from keras3dgan.report.generators import generator_settings
    from keras3dgan.training import generation
    from keras3dgan.training.run_directory import RunDirectory
    from keras3dgan.voxels import io

    count, folder = cli.FLAGS.count, pathlib.Path(cli.FLAGS.output)
    if count < 1:
        raise InputError(f"--count: must be at least 1, got {count}.")
    if cli.FLAGS.seed < 0:
        raise InputError(f"--seed: must not be negative, got {cli.FLAGS.seed}.")
    if f".{cli.FLAGS.format}" not in io.WRITABLE:
        raise InputError(f"--format: '{cli.FLAGS.format}' is unknown; choose among {', '.join(io.WRITABLE)}.")
    run = RunDirectory(cli.FLAGS.model)
    stddev = generator_settings(run)["latent_stddev"]
    generator = run.load_model("generator")
    latents = generation.latents(count, generator.latent_size, stddev, cli.FLAGS.seed)
    occupancy = 1 / (1 + np.exp(-generator.predict(latents, verbose=0)[..., 0]))
    empty = 0
    for index, shape in enumerate(occupancy):
        if shape.max() > 0.5:
            io.write_shape(folder / f"shape-{index:04d}.{cli.FLAGS.format}", shape)
        else:
            empty += 1
    shown = occupancy[:_PICTURED]
    figures.save(figures.shapes([shown[i : i + 8] for i in range(0, len(shown), 8)]), folder / "shapes.png")
    left_out = f" ({empty} empty ones left out)" if empty else ""
    print(f"{folder}: {count - empty} shapes{left_out}; see {folder / 'shapes.png'}")


if __name__ == "__main__":
    cli.run(main, __doc__)
