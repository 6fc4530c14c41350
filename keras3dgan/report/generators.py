"""Generators side by side, measured by one protocol on shapes that none of them has seen."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras3dgan import data
from keras3dgan.errors import InputError
from keras3dgan.report import figures
from keras3dgan.training import generation
from keras3dgan.training.run_directory import RunDirectory

REAL = "training shapes"
COLUMNS = ("score", "coverage_iou", "nna_iou", "mmd_iou", "coverage_chamfer", "nna_chamfer", "mmd_chamfer")
MORE_COLUMNS = ("frechet", "diversity", "novelty", "occupied", "largest_component")
_DRAWN = 8


@dataclasses.dataclass(frozen=True)
class GeneratorComparison:
    """What `compare_generators` found.

    Attributes:
        split: the split of the reference shapes.
        count: reference shapes, and generated ones of each generator.
        rows: path of the run -> metrics; `REAL` is the ceiling.
        shapes: path of the run -> some of its shapes, `REAL` -> some of the training set's; (8, n, n, n).
    """

    split: str
    count: int
    rows: dict[str, dict[str, float]]
    shapes: dict[str, np.ndarray]

    def picture(self):
        """A figure with a row of shapes for each generator, real ones above."""
        names = [pathlib.PurePath(name).name.replace("_", " ") for name in self.shapes]
        return figures.shapes(list(self.shapes.values()), names)

    def table(self) -> str:
        """The measurements as lines of text."""
        columns = [name for name in (*COLUMNS, *MORE_COLUMNS) if any(name in row for row in self.rows.values())]
        width = max(len(name) for name in self.rows)
        lines = [" ".join([" " * width, *(f"{name.replace('_', ' '):>{max(9, len(name))}}" for name in columns)])]
        for name, row in self.rows.items():
            cells = (
                f"{row[c]:>{max(9, len(c))}.3f}" if c in row else " " * (max(9, len(c)) - 1) + "-" for c in columns
            )
            lines.append(" ".join([f"{name:{width}}", *cells]))
        return "\n".join(lines)


def compare_generators(
    runs: Sequence[RunDirectory],
    split: str = "test",
    seed: int = 1,
    voxnet: RunDirectory | None = None,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> GeneratorComparison:
    """Measures the generators of some runs of `train_gan`, and real training shapes, against the same held-out shapes.

    Args:
        runs: trained on the same data.
        split: `validation` or `test`.
        seed: of the latents; not those that the best generator was chosen by.
        voxnet: a run whose features give the Frechet distance.
        data_dir: where TFDS keeps prepared data sets.
        manual_dir: where the source of a data set lies that must be fetched by hand.

    Raises:
        InputError: a run is missing or of another kind, or two were trained on different data.
    """
    settings = [generator_settings(run) for run in runs]
    source = [{key: each[key] for key in ("dataset", "classes", "resolution")} for each in settings]
    if any(each != source[0] for each in source):
        raise InputError("--models: the generators were trained on different data; name runs of one data set only.")
    load = (source[0]["classes"], source[0]["resolution"], data_dir, manual_dir)
    train, reference = (data.load(source[0]["dataset"], part, *load) for part in ("train", split))
    protocol = generation.protocol(train, reference, voxnet.load_model("voxnet") if voxnet else None)
    drawn = np.random.default_rng(seed).permutation(len(train))[:_DRAWN]
    rows, shapes = {REAL: protocol.ceiling(seed)}, {REAL: train.grids(drawn)}
    for run, each in zip(runs, settings, strict=True):
        generator = run.load_model("generator")
        latents = generation.latents(protocol.count, each["latent_size"], each["latent_stddev"], seed)
        made = generation.generate(generator, latents)
        rows[str(run.path)], shapes[str(run.path)] = protocol.measure(made), made[:_DRAWN]
    return GeneratorComparison(split, protocol.count, rows, shapes)


def generator_settings(run: RunDirectory) -> dict[str, Any]:
    """The settings of a run of `train_gan`.

    Raises:
        InputError: it is none.
    """
    config = run.config()
    if config["kind"] != "gan":
        raise InputError(f"{run.path}: is a run of kind '{config['kind']}'; give one of train_gan.")
    return config["settings"]
