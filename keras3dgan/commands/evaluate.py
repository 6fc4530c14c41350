"""Measures compressors on shapes never trained on: bytes on disk, IoU, both ratios.

keras3dgan evaluate --models=runs/compressor,runs/autoencoder --pca --output=results/furniture.json
"""

import shlex
import sys

from absl import flags

from keras3dgan.commands import cli

cli.add(
    flags.DEFINE_list, "models", None, "runs of train_compressor or train_autoencoder; they share a data set", cli.MODEL
)
cli.add(flags.DEFINE_list, "trainings", [], "further runs whose outcome is recorded too, e.g. of the 3D-GAN", cli.MODEL)
cli.add(flags.DEFINE_boolean, "pca", True, "also measure PCA of the same latent size", cli.MODEL)
cli.add(
    cli.enum("test", "validation"), "split", "test", "test, for final numbers; or validation, for choices", cli.MODEL
)
cli.add(flags.DEFINE_string, "output", None, "JSON file to write")
cli.add(flags.DEFINE_string, "picture", None, "PNG file to write: originals and reconstructions")
cli.add_data()
flags.mark_flags_as_required(["models", "output"])


def main(_):
    """Measures --models, writes JSON, and a picture if one is named."""
    from keras3dgan.codec.evaluation import table
    from keras3dgan.report import figures
    from keras3dgan.report.comparison import compare, outcome
    from keras3dgan.report.runs import reconstructions
    from keras3dgan.training.run_directory import RunDirectory, write_result

    runs = [RunDirectory(path) for path in cli.FLAGS.models]
    comparison = compare(runs, cli.FLAGS.split, cli.FLAGS.pca, cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
    outcomes = {path: outcome(RunDirectory(path)) for path in [*cli.FLAGS.models, *cli.FLAGS.trainings]}
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
    print(f"{len(comparison.shapes)} {cli.FLAGS.split} shapes; wrote {places}")


if __name__ == "__main__":
    cli.run(main, __doc__)
