"""What a report shows of a training run, and of compressors side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras3dgan.codec.latent_codec import LatentCodec
from keras3dgan.report import figures
from keras3dgan.report.page import Page
from keras3dgan.training.run_directory import RunDirectory
from keras3dgan.voxels.grid import iou
from keras3dgan.voxels.shape_set import ShapeSet

TITLES = {
    "gan": "3D-GAN",
    "voxnet": "VoxNet",
    "compressor": "Generative compressor",
    "autoencoder": "Plain autoencoder",
}
# Panels of curves by kind of run: title -> metrics in it.
_PANELS: dict[str, dict[str, tuple[str, ...]]] = {
    "gan": {
        "losses": ("g_loss", "d_loss"),
        "discriminator": ("d_accuracy_real", "d_accuracy_fake", "d_trained", "gradient_penalty"),
        "generated, validation shapes": ("generated_score", "generated_coverage_iou", "generated_nna_iou"),
        "samples": ("occupied", "diversity", "generated_diversity", "generated_novelty"),
    },
    "voxnet": {"loss": ("loss", "val_loss"), "accuracy": ("accuracy", "val_accuracy")},
    "compressor": {
        "loss": ("loss", "val_loss"),
        "terms": ("grid_loss", "perceptual_loss"),
        "IoU": ("iou", "val_iou"),
    },
    "autoencoder": {"loss": ("loss", "val_loss"), "IoU": ("iou", "val_iou")},
}
_COLUMNS = 8


def curves(run: RunDirectory, kind: str):
    """The figure of a run's training curves."""
    lines = run.metrics()

    def group(names: tuple[str, ...]) -> dict[str, list[tuple[float, float]]]:
        found = {name: [(line["epoch"], line[name]) for line in lines if name in line] for name in names}
        return {name: points for name, points in found.items() if points}

    return figures.curves({title: group(names) for title, names in _PANELS[kind].items()})


def add_run(page: Page, run: RunDirectory) -> None:
    """Adds a section about one run: what it was trained on, its curves, its newest samples."""
    config, result = run.config(), run.result()
    kind, settings = config["kind"], config["settings"]
    page.heading(f"{TITLES[kind]}: {run.path}")
    if not run.metrics():
        page.text("No epoch has been finished yet.")
        return
    last = run.metrics()[-1]
    state = "finished" if result else "not finished"
    data = f"{settings['dataset']}, {', '.join(settings['classes']) or 'all classes'}, {settings['resolution']}^3"
    page.text(
        f"{data}; {last['epoch']} of {settings['epochs']} epochs ({state}), {last['step']} steps of {settings['batch_size']} "
        f"shapes in {last['seconds']:.0f} s on {config['hardware']['cores']} cores of {config['hardware']['cpu']}."
    )
    if kind == "voxnet" and result:
        classes = ", ".join(result["class_names"])
        page.text(f"Accuracy on {result['test_shapes']} test shapes: {result['test_accuracy']:.1%} ({classes}).")
    if result and "best" in result:
        best = result["best"]
        page.text(
            f"Kept the generator of epoch {best['epoch']}: coverage {best['coverage_iou']:.2f}, 1-nearest-neighbour accuracy "
            f"{best['nna_iou']:.2f} (0.5 is best), matching distance {best['mmd_iou']:.2f}, against validation shapes (1 - IoU)."
        )
    page.picture(figures.png(curves(run, kind)), "Training curves")
    samples = sorted(run.samples.glob("epoch-*.png"))
    if samples:
        page.picture(samples[-1].read_bytes(), f"Generated, epoch {int(samples[-1].stem.split('-')[1])}")


def add_comparison(page: Page, rows: dict[str, dict[str, Any]]) -> None:
    """Adds the table of compressors.

    Args:
        page: where to.
        rows: name -> what `codec.evaluation.evaluate` gave.
    """
    page.table(
        ("", "bytes on disk", "IoU", "dimension ratio", "byte ratio"),
        [
            (name, f"{r['bytes']:.0f}", f"{r['iou']:.3f}", f"{r['dimension_ratio']:.1f}", f"{r['byte_ratio']:.2f}")
            for name, r in sorted(rows.items(), key=lambda item: -item[1]["iou"])
        ],
    )
    page.text(
        "Dimension ratio: voxels / latent values, the figure of the report. Byte ratio: bytes of the grid at one bit a voxel / "
        "bytes on disk, header included."
    )


def reconstructions(shapes: ShapeSet, codecs: dict[str, LatentCodec], seed: int = 0):
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
        names.append(f"{name}, IoU {iou(originals, restored).mean():.2f}")
        drawn.append(restored)
    return figures.shapes(drawn, names, titles)
