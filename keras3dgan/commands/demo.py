"""Shows the codec that ships at work on furniture it has never seen, then trains a small model of your own beside it.

keras3dgan demo --output=demo
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from keras3dgan import codec, recipes
from keras3dgan.codec.goals import Goal
from keras3dgan.commands import cli
from keras3dgan.runs import Run
from keras3dgan.training.options import Options

if TYPE_CHECKING:
    from keras3dgan.codec.shape_codec import ShapeCodec
    from keras3dgan.evaluation.compression import Comparison

GOES_ON = True

cli.add(flags.DEFINE_integer, "epochs", None, "of both trainings, for a quicker try [their presets']", cli.MODEL)
cli.add(flags.DEFINE_string, "output", "demo", "folder to write to; given again, the demo goes on where it was")
cli.add(flags.DEFINE_string, "data_dir", None, "where TFDS keeps prepared data sets [OUTPUT/data]")

_LONGER = "compressor_furniture_32"
# A slower way to encode, measured beside the quick one.
_LATENT_STEPS = 10
# What is trained, in this order, and what to say of it.
_STEPS = {
    "autoencoder": "Autoencoder: starts as PCA and learns what is left",
    "gan": "3D-GAN on the autoencoder's latents: learns what furniture looks like",
}


def main(_: Sequence[str]) -> None:
    """Shows what ships; trains, measures and reports, going on where an earlier call was stopped."""
    from keras3dgan.evaluation.compression import compare, table
    from keras3dgan.report import showcase

    begin = time.monotonic()
    folder = pathlib.Path(cli.FLAGS.output)
    print("1/4  What ships: furniture never trained on, in a few bytes", flush=True)
    print(showcase.write(folder))
    data_dir = cli.FLAGS.data_dir or str(folder / "data")
    runs = train(folder / "runs", data_dir)
    print("\n4/4  Comparing on unseen shapes", flush=True)
    comparison = compare([runs["autoencoder"]], "test", True, data_dir, more=shipped(), latent_steps=_LATENT_STEPS)
    write_page(folder / "report.html", runs, comparison)
    print(f"\n{table(comparison.rows)}\n\n{len(comparison.shapes)} test shapes, none of them trained on.")
    print(
        f"Open {folder / 'report.html'}: curves, samples, shapes that turn ({time.monotonic() - begin:.0f} s in all)."
    )


def train(folder: pathlib.Path, data_dir: str) -> dict[str, Run]:
    """Trains what the demo compares; returns the runs by kind."""
    from keras3dgan.report.sample_pictures import draw

    overrides = {} if cli.FLAGS.epochs is None else {"epochs": cli.FLAGS.epochs}
    runs: dict[str, Run] = {}
    for number, (kind, title) in enumerate(_STEPS.items(), 2):
        print(f"\n{number}/4  {title}", flush=True)
        recipe, run = recipes.recipe(kind), Run(folder / kind)
        inputs = {name: runs[name] for name in recipe.inputs if name in runs}
        with run.locked():
            recipe.train(recipe.make_settings("demo", **overrides), run, Options(data_dir, draw=draw), **inputs)
        runs[kind] = run
    return runs


def shipped() -> dict[str, ShapeCodec]:
    """What ships: the codec, without loss and in few bytes, and an autoencoder that learnt the same furniture for longer."""
    name = codec.DEFAULT
    exact, few = codec.load(name), codec.load(name, Goal(bytes=30))
    return {f"{name}, exact": exact, f"{name}, at 30 bytes": few, _LONGER: recipes.load_codec(_LONGER)}


def write_page(path: pathlib.Path, runs: dict[str, Run], comparison: Comparison) -> None:
    """Writes the report."""
    from keras3dgan.export import shapes_page
    from keras3dgan.report import figures
    from keras3dgan.report.page import Page
    from keras3dgan.report.sections import add_comparison, add_run, reconstructions, turning

    page = Page("keras3dgan: furniture, and what a small network learnt of it in minutes")
    page.heading(f"Unseen shapes, compressed and restored ({len(comparison.shapes)} of the test split)")
    add_comparison(page, comparison.rows)
    page.picture(figures.png(reconstructions(comparison.shapes, comparison.codecs)), "Originals and reconstructions")
    page.html(shapes_page.fragment(turning(comparison.shapes, comparison.codecs)) + shapes_page.assets())
    for run in runs.values():
        add_run(page, run)
    page.write(path)
