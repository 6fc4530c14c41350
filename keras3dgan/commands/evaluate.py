"""Measures compressors on shapes never trained on: bytes on disk, IoU, both ratios.

keras3dgan evaluate --models=runs/compressor,runs/autoencoder --pca --output=results/furniture.json
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from absl import flags

from keras3dgan import presets, recipes
from keras3dgan.commands import cli
from keras3dgan.provenance import write_result

cli.add(flags.DEFINE_list, "models", None, f"runs or presets, of one data set: {recipes.sources('codec')}", cli.MODEL)
cli.add(flags.DEFINE_list, "trainings", [], "further runs whose outcome is recorded too, e.g. of the 3D-GAN", cli.MODEL)
cli.add(flags.DEFINE_boolean, "pca", True, "also measure PCA of the same latent size", cli.MODEL)
cli.add_latent_steps("above 0: also measure each with so many steps that look for better latents, e.g. 20; slow")
cli.add_measuring("originals and reconstructions")
flags.mark_flag_as_required("models")


def main(_: Sequence[str]) -> None:
    """Measures --models, writes JSON, and a picture if one is named."""
    from keras3dgan.evaluation.compression import compare, table
    from keras3dgan.export.shapes_page import write_shapes_page
    from keras3dgan.report import figures
    from keras3dgan.report.sections import reconstructions, turning

    runs = [presets.get(path, "models") for path in cli.FLAGS.models]
    steps = cli.FLAGS.latent_steps
    comparison = compare(
        runs, cli.FLAGS.split, cli.FLAGS.pca, cli.FLAGS.data_dir, cli.FLAGS.manual_dir, latent_steps=steps
    )
    outcomes = {
        run.name: run.outcome() for run in [*runs, *(presets.get(path, "trainings") for path in cli.FLAGS.trainings)]
    }
    write_result(
        cli.FLAGS.output,
        "keras3dgan evaluate " + shlex.join(sys.argv[1:]),
        {**comparison.as_result(), "trainings": outcomes},
    )
    print(table(comparison.rows))
    places = cli.FLAGS.output
    if cli.FLAGS.picture:
        figures.save(reconstructions(comparison.shapes, comparison.codecs), cli.FLAGS.picture)
        places += f" and {cli.FLAGS.picture}"
    if cli.FLAGS.page:
        write_shapes_page(
            "Originals and what is restored", turning(comparison.shapes, comparison.codecs), cli.FLAGS.page
        )
        places += f" and {cli.FLAGS.page}"
    print(f"{len(comparison.shapes)} {cli.FLAGS.split} shapes; wrote {places}")
