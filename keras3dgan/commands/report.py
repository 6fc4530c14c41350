"""Writes an HTML page about training runs: settings, curves, samples, and compressors side by side.

keras3dgan report --runs=runs/gan,runs/voxnet,runs/compressor,runs/autoencoder --output=report.html
"""

import pathlib
import shutil

from absl import flags

from keras3dgan.commands import cli

cli.add(flags.DEFINE_list, "runs", None, "runs of any training command", cli.MODEL)
cli.add(flags.DEFINE_string, "split", "test", "what compressors are compared on: validation or test", cli.MODEL)
cli.add(flags.DEFINE_string, "title", "Training runs", "heading of the page", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "HTML file to write")
cli.add(flags.DEFINE_string, "pictures", None, "folder to write curves and newest samples to as PNG files as well")
cli.add(flags.DEFINE_string, "name", "run", "beginning of the names of those PNG files")
cli.add_data()
flags.mark_flags_as_required(["runs", "output"])


def main(_):
    """Writes the page, and its pictures apart if a folder is named."""
    from keras3dgan.report import figures
    from keras3dgan.report.comparison import compare
    from keras3dgan.report.page import Page
    from keras3dgan.report.runs import add_comparison, add_run, reconstructions
    from keras3dgan.training.run_directory import RunDirectory

    page = Page(cli.FLAGS.title)
    runs = [RunDirectory(path) for path in cli.FLAGS.runs]
    trained = [
        r
        for r in runs
        if r.config()["kind"] in ("compressor", "autoencoder") and (r.path / "models/decoder.keras").exists()
    ]
    if trained:
        comparison = compare(trained, cli.FLAGS.split, True, cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
        page.heading(f"Compressors on {len(comparison.shapes)} {cli.FLAGS.split} shapes")
        add_comparison(page, comparison.rows)
        page.picture(
            figures.png(reconstructions(comparison.shapes, comparison.codecs)), "Originals and reconstructions"
        )
    for run in runs:
        add_run(page, run)
    page.write(cli.FLAGS.output)
    places = cli.FLAGS.output
    if cli.FLAGS.pictures:
        write_pictures(runs, pathlib.Path(cli.FLAGS.pictures), cli.FLAGS.name)
        places += f" and pictures in {cli.FLAGS.pictures}"
    print(f"wrote {places}")


def write_pictures(runs, folder, name):
    """Writes `<name>_<run>_curves.png` and `<name>_<run>_samples.png` of every run."""
    from keras3dgan.report import figures
    from keras3dgan.report.runs import curves

    for run in runs:
        figures.save(curves(run, run.config()["kind"]), folder / f"{name}_{run.path.name}_curves.png")
        samples = sorted(run.samples.glob("epoch-*.png"))
        if samples:
            shutil.copyfile(samples[-1], folder / f"{name}_{run.path.name}_samples.png")


if __name__ == "__main__":
    cli.run(main, __doc__)
