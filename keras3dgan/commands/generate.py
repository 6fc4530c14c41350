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


def main(_):
    """Writes generated shapes and a picture of them."""
    import numpy as np

    from keras3dgan.commands import conversion
    from keras3dgan.report.generators import generator_settings
    from keras3dgan.training import generation
    from keras3dgan.training.run_directory import RunDirectory

    count = cli.FLAGS.count
    if count < 1:
        raise InputError(f"--count: must be at least 1, got {count}.")
    if cli.FLAGS.seed < 0:
        raise InputError(f"--seed: must not be negative, got {cli.FLAGS.seed}.")
    run = RunDirectory(cli.FLAGS.model)
    stddev = generator_settings(run)["latent_stddev"]
    generator = run.load_model("generator")
    latents = generation.latents(count, generator.latent_size, stddev, cli.FLAGS.seed)
    occupancy = 1 / (1 + np.exp(-generator.predict(latents, verbose=0)[..., 0]))
    conversion.write_generated(occupancy, pathlib.Path(cli.FLAGS.output), cli.FLAGS.format)


if __name__ == "__main__":
    cli.run(main, __doc__)
