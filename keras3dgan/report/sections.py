"""Sections of a page: training runs, and codecs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.evaluation.compression import ratio
from keras3dgan.export.shapes_page import Row, compared
from keras3dgan.recipes import recipe_of
from keras3dgan.report import figures
from keras3dgan.report.page import Page
from keras3dgan.runs import Run
from keras3dgan.voxels.grid import iou
from keras3dgan.voxels.shape_set import ShapeSet

if TYPE_CHECKING:
    from keras3dgan.evaluation.generators import GeneratorComparison

_COLUMNS = 8


def curves(run: Run) -> plt.Figure:
    """The figure of a run's training curves."""
    lines = run.metrics()

    def group(names: tuple[str, ...]) -> dict[str, list[tuple[float, float]]]:
        found = {name: [(line["epoch"], line[name]) for line in lines if name in line] for name in names}
        return {name: points for name, points in found.items() if points}

    return figures.curves({title: group(names) for title, names in recipe_of(run).curves.items()})


def add_run(page: Page, run: Run) -> None:
    """Adds a section about one run: what it was trained on, its curves, its newest samples."""
    config, result, recipe = run.config(), run.result(), recipe_of(run)
    settings = config["settings"]
    page.heading(f"{recipe.title}: {run.name}")
    metrics = run.metrics()
    last = metrics[-1] if metrics else (result or {}).get("last")  # a preset has no curves
    if not last:
        page.text("No epoch has been finished yet.")
        return
    state = "finished" if result else "not finished"
    data = f"{settings['dataset']}, {', '.join(settings['classes']) or 'all classes'}, {settings['resolution']}^3"
    page.text(
        f"{data}; {last['epoch']} of {settings['epochs']} epochs ({state}), {last['step']} steps at batch size "
        f"{settings['batch_size']} in {last['seconds']:.0f} s on {config['hardware']['cores']} cores of "
        f"{config['hardware']['cpu']}."
    )
    for sentence in recipe.facts(result) if result else []:
        page.text(sentence)
    if metrics:
        page.picture(figures.png(curves(run)), "Training curves")
    samples = run.newest_samples()
    if samples:
        page.picture(samples.read_bytes(), f"Samples, epoch {int(samples.stem.split('-')[1])}")


def add_comparison(page: Page, rows: dict[str, dict[str, Any]]) -> None:
    """Adds the table of codecs.

    Args:
        page: where to.
        rows: name -> what `evaluation.compression.evaluate` gave.
    """
    page.table(
        ("", "bytes on disk", "IoU", "dimension ratio", "byte ratio"),
        [
            (name, f"{r['bytes']:.0f}", f"{r['iou']:.3f}", ratio(r), f"{r['byte_ratio']:.2f}")
            for name, r in sorted(rows.items(), key=lambda item: -item[1]["iou"])
        ],
    )
    page.text(
        "Dimension ratio: voxels / latent values, the figure of the report. Byte ratio: bytes of the grid at one bit a voxel / "
        "bytes on disk, header included."
    )


def reconstructions(shapes: ShapeSet, codecs: dict[str, ShapeCodec], seed: int = 0) -> plt.Figure:
    """A figure of originals above what each codec makes of them.

    Args:
        shapes: eight of these are drawn, spread over the set.
        codecs: name -> codec.
        seed: which eight.
    """
    rows = np.random.default_rng(seed).permutation(len(shapes))[:_COLUMNS]
    originals = shapes.grids(rows)
    drawn, titles = [originals], [shapes.class_names[label] for label in shapes.labels[rows]]
    names = ["original"]
    for name, codec in codecs.items():
        restored = codec.decode(codec.encode(originals))
        names.append(f"{name}, IoU of these {iou(originals, restored).mean():.2f}")
        drawn.append(restored)
    return figures.shapes(drawn, names, titles)


def turning(shapes: ShapeSet, codecs: dict[str, ShapeCodec], seed: int = 0) -> list[Row]:
    """The shapes of `reconstructions` for a page that turns them: of each the original and what each codec makes of it."""
    rows = np.random.default_rng(seed).permutation(len(shapes))[:_COLUMNS]
    originals = shapes.grids(rows)
    restored = {name: codec.decode(codec.encode(originals)) for name, codec in codecs.items()}
    names = [f"{shapes.class_names[shapes.labels[row]]} {shapes.ids[row]}" for row in rows]
    return compared({"original": originals, **restored}, names)


def generated(comparison: GeneratorComparison) -> plt.Figure:
    """A figure with a row of shapes for each generator, real ones above."""
    names = [name.rstrip("/").rpartition("/")[2].replace("_", " ") for name in comparison.shapes]
    return figures.shapes(list(comparison.shapes.values()), names)
