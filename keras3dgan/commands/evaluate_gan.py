"""Measures 3D-GANs on shapes never trained on: coverage, 1-nearest-neighbour accuracy, matching distance and more.

keras3dgan evaluate_gan --models=runs/gan,runs/wgan --output=runs/generation.json --picture=runs/generation.png
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from absl import flags

from keras3dgan import presets, recipes
from keras3dgan.commands import cli
from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result

cli.add(
    flags.DEFINE_list, "models", None, f"runs or presets, of one data set: {recipes.sources('generator')}", cli.MODEL
)
cli.add(
    flags.DEFINE_string,
    "voxnet",
    None,
    "run or preset of train_voxnet; its features give the Frechet distance",
    cli.MODEL,
)
cli.add(flags.DEFINE_integer, "seed", 1, "of the latents", cli.MODEL)
cli.add(flags.DEFINE_integer, "draws", 5, "sets of shapes drawn from each model, whose means are told", cli.MODEL)
cli.add_measuring("generated shapes, real ones above")
flags.mark_flag_as_required("models")


def main(_: Sequence[str]) -> None:
    """Measures --models, writes JSON, and a picture if one is named."""
    from keras3dgan.evaluation.generators import compare_generators
    from keras3dgan.export.shapes_page import side_by_side, write_shapes_page
    from keras3dgan.report import figures
    from keras3dgan.report.sections import generated

    if cli.FLAGS.seed < 0:
        raise InputError(f"must not be negative, got {cli.FLAGS.seed}.", "seed")
    if cli.FLAGS.draws < 1:
        raise InputError(f"must be at least 1, got {cli.FLAGS.draws}.", "draws")
    runs = [presets.get(path, "models") for path in cli.FLAGS.models]
    voxnet = presets.get(cli.FLAGS.voxnet, "voxnet") if cli.FLAGS.voxnet else None
    how = (cli.FLAGS.split, cli.FLAGS.seed, cli.FLAGS.draws)
    found = compare_generators(runs, *how, voxnet, cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
    content = {
        "split": found.split,
        "shapes": found.count,
        "seed": cli.FLAGS.seed,
        "draws": cli.FLAGS.draws,
        "generators": found.rows,
        "trainings": {run.name: run.outcome() for run in runs},
    }
    write_result(cli.FLAGS.output, "keras3dgan evaluate_gan " + shlex.join(sys.argv[1:]), content)
    print(found.table())
    places = cli.FLAGS.output
    if cli.FLAGS.picture:
        figures.save(generated(found), cli.FLAGS.picture)
        places += f" and {cli.FLAGS.picture}"
    if cli.FLAGS.page:
        write_shapes_page("Real shapes and generated ones", side_by_side(found.shapes), cli.FLAGS.page)
        places += f" and {cli.FLAGS.page}"
    draws = f", means of {cli.FLAGS.draws} draws" if cli.FLAGS.draws > 1 else ""
    print(f"{found.count} shapes of each against as many of the {found.split} split{draws}; wrote {places}")
