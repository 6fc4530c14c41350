"""Trains everything small on the bundled furniture, compresses unseen shapes into files and back, and shows the outcome.

keras3dgan demo --output=demo
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from keras3dgan import recipes
from keras3dgan.commands import cli
from keras3dgan.runs import Run
from keras3dgan.training.options import Options

if TYPE_CHECKING:
    from keras3dgan.evaluation.compression import Comparison

cli.add(flags.DEFINE_string, "preset", "demo", "preset of all four trainings: demo, or test for a quick try", cli.MODEL)
cli.add(flags.DEFINE_string, "output", "demo", "folder to write to; given again, the demo goes on where it was")
cli.add(flags.DEFINE_string, "data_dir", None, "where TFDS keeps prepared data sets [OUTPUT/data]")


# What is trained, in this order, and what to say of it.
_STEPS = {
    "gan": "3D-GAN: learns what furniture looks like",
    "voxnet": "VoxNet: learns to tell the classes apart",
    "compressor": "Compressor: encoder for the 3D-GAN's generator",
    "autoencoder": "Plain autoencoder: the baseline",
}


def main(_: Sequence[str]) -> None:
    """Trains, compresses and reports, going on where an earlier call was stopped."""
    from keras3dgan.evaluation.compression import compare, table

    begin = time.monotonic()
    folder = pathlib.Path(cli.FLAGS.output)
    data_dir = cli.FLAGS.data_dir or str(folder / "data")
    runs = train(folder / "runs", cli.FLAGS.preset, data_dir)
    print("\nCompressing unseen shapes", flush=True)
    comparison = compare([runs["compressor"], runs["autoencoder"]], "test", True, data_dir)
    files = write_files(folder / "files", comparison)
    write_page(folder / "report.html", runs, comparison)
    print(f"\n{table(comparison.rows)}\n\n{len(comparison.shapes)} test shapes, none of them trained on; {files}")
    print(f"Open {folder / 'report.html'}: pictures, samples, curves ({time.monotonic() - begin:.0f} s in all).")


def train(folder: pathlib.Path, preset: str, data_dir: str) -> dict[str, Run]:
    """Trains what the demo needs; returns the runs by kind."""
    from keras3dgan.report.sample_pictures import draw

    runs = {kind: Run(folder / kind) for kind in _STEPS}
    for number, (kind, title) in enumerate(_STEPS.items(), 1):
        print(f"\n{number}/{len(_STEPS)}  {title}", flush=True)
        recipe = recipes.recipe(kind)
        inputs = {name: runs[name] for name in recipe.inputs if runs[name].result()}
        with runs[kind].locked():
            recipe.train(recipe.make_settings(preset), runs[kind], Options(data_dir, draw=draw), **inputs)
    return runs


def write_files(folder: pathlib.Path, comparison: Comparison) -> str:
    """Compresses every test shape into a file and every file into a mesh; returns a sentence about them."""
    from keras3dgan.codec import container
    from keras3dgan.voxels import io

    codec = next(iter(comparison.codecs.values()))
    shapes = comparison.shapes
    total = 0
    for row, content in enumerate(codec.encode(shapes.grids())):
        name = str(shapes.ids[row]).replace("/", "-")
        container.write(folder / f"{name}.g3c", content)
        total += (folder / f"{name}.g3c").stat().st_size
        restored = codec.decode([container.read(folder / f"{name}.g3c")])[0]
        if restored.max() > 0.5:
            io.write_shape(folder / f"{name}.glb", restored)
    return f"{total} bytes of .g3c files in {folder}, the meshes they decode to beside them."


def write_page(path: pathlib.Path, runs: dict[str, Run], comparison: Comparison) -> None:
    """Writes the report."""
    from keras3dgan.export import shapes_page
    from keras3dgan.report import figures
    from keras3dgan.report.page import Page
    from keras3dgan.report.sections import add_comparison, add_run, reconstructions, turning

    page = Page("keras3dgan: furniture compressed by what a small network learnt of it")
    page.heading(f"Unseen shapes, compressed and restored ({len(comparison.shapes)} of the test split)")
    add_comparison(page, comparison.rows)
    page.picture(figures.png(reconstructions(comparison.shapes, comparison.codecs)), "Originals and reconstructions")
    page.html(shapes_page.fragment(turning(comparison.shapes, comparison.codecs)) + shapes_page.assets())
    for run in runs.values():
        add_run(page, run)
    page.write(path)
