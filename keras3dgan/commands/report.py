"""Writes an HTML page about training runs: settings, curves, samples, and codecs side by side.

keras3dgan report --runs=runs/gan,runs/voxnet,runs/compressor,runs/autoencoder --output=report.html
"""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from keras3dgan import presets
from keras3dgan.commands import cli
from keras3dgan.recipes import recipe_of
from keras3dgan.runs import Run

if TYPE_CHECKING:
    from keras3dgan.report.page import Page

cli.add(flags.DEFINE_list, "runs", None, "runs of any training command, or presets", cli.MODEL)
cli.add(cli.enum("test", "validation"), "split", "test", "what codecs are compared on: test or validation", cli.MODEL)
cli.add(flags.DEFINE_string, "title", "Training runs", "heading of the page", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "HTML file to write")
cli.add(flags.DEFINE_string, "pictures", None, "folder to write curves and newest samples to as PNG files as well")
cli.add(flags.DEFINE_string, "name", "run", "beginning of the names of those PNG files")
cli.add_data()
flags.mark_flags_as_required(["runs", "output"])


def main(_: Sequence[str]) -> None:
    """Writes the page, and its pictures apart if a folder is named."""
    from keras3dgan.report.page import Page
    from keras3dgan.report.sections import add_run

    page = Page(cli.FLAGS.title)
    runs = [presets.get(path, "runs") for path in cli.FLAGS.runs]
    trained = [run for run in runs if recipe_of(run).codec and run.result()]
    if trained:
        add_codecs(page, trained)
    for run in runs:
        add_run(page, run)
    page.write(cli.FLAGS.output)
    places = cli.FLAGS.output
    if cli.FLAGS.pictures:
        write_pictures(runs, pathlib.Path(cli.FLAGS.pictures), cli.FLAGS.name)
        places += f" and pictures in {cli.FLAGS.pictures}"
    print(f"wrote {places}")


def add_codecs(page: Page, runs: Sequence[Run]) -> None:
    """Adds a comparison for each data set that the runs were trained on."""
    from keras3dgan.evaluation.common_data import by_data
    from keras3dgan.evaluation.compression import compare
    from keras3dgan.export import shapes_page
    from keras3dgan.report import figures
    from keras3dgan.report.sections import add_comparison, reconstructions, turning

    for (dataset, *_), group in by_data(runs).items():
        comparison = compare(group, cli.FLAGS.split, True, cli.FLAGS.data_dir, cli.FLAGS.manual_dir)
        page.heading(f"Codecs on {len(comparison.shapes)} {cli.FLAGS.split} shapes of {dataset}")
        add_comparison(page, comparison.rows)
        picture = figures.png(reconstructions(comparison.shapes, comparison.codecs))
        page.picture(picture, "Originals and reconstructions")
        page.html(shapes_page.fragment(turning(comparison.shapes, comparison.codecs)))
    page.html(shapes_page.assets())


def write_pictures(runs: Sequence[Run], folder: pathlib.Path, name: str) -> None:
    """Writes `<name>_<run>_curves.png` and `<name>_<run>_samples.png` of every run."""
    from keras3dgan.report import figures
    from keras3dgan.report.sections import curves

    for run in runs:
        if not run.metrics():  # a preset
            continue
        figures.save(curves(run), folder / f"{name}_{run.path.name}_curves.png")
        if samples := run.newest_samples():
            shutil.copyfile(samples, folder / f"{name}_{run.path.name}_samples.png")
