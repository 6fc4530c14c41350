"""Makes new shapes with a trained 3D-GAN.

keras3dgan generate --model=runs/gan --output=shapes --count=16
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError
from keras3dgan.recipes import offer
from keras3dgan.runs import Run

cli.add(flags.DEFINE_string, "model", None, "run of train_gan", cli.MODEL)
cli.add(flags.DEFINE_integer, "count", 16, "how many shapes", cli.MODEL)
cli.add(flags.DEFINE_integer, "seed", 0, "other seeds give other shapes", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "folder to write to")
cli.add(flags.DEFINE_string, "format", "glb", "glb, obj, stl, ply, binvox, npy or npz")
flags.mark_flags_as_required(["model", "output"])


def main(_: Sequence[str]) -> None:
    """Writes generated shapes and a picture of them."""
    from keras3dgan.commands import conversion
    from keras3dgan.training import best_generator

    count = cli.FLAGS.count
    if count < 1:
        raise InputError(f"must be at least 1, got {count}.", "count")
    if cli.FLAGS.seed < 0:
        raise InputError(f"must not be negative, got {cli.FLAGS.seed}.", "seed")
    run = Run(cli.FLAGS.model)
    generator = offer(run, "generator")(run)
    latents = best_generator.latents(count, generator.latent_size, run.settings["latent_stddev"], cli.FLAGS.seed)
    occupancy = best_generator.occupancy(generator, latents)
    conversion.write_generated(occupancy, pathlib.Path(cli.FLAGS.output), cli.FLAGS.format)
