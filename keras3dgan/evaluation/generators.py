"""Generators side by side, measured by one protocol on shapes that none of them has seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras3dgan import data
from keras3dgan.evaluation.common_data import common_data
from keras3dgan.recipes import offer
from keras3dgan.runs import Run
from keras3dgan.training import best_generator

REAL = "training shapes"
COLUMNS = (
    "score",
    "score_stddev",
    "coverage_iou",
    "nna_iou",
    "mmd_iou",
    "coverage_chamfer",
    "nna_chamfer",
    "mmd_chamfer",
)
MORE_COLUMNS = ("frechet", "diversity", "novelty", "occupied", "largest_component")
_DRAWN = 8


@dataclasses.dataclass(frozen=True)
class GeneratorComparison:
    """What `compare_generators` found.

    Attributes:
        split: the split of the reference shapes.
        count: reference shapes, and generated ones of each generator and draw.
        rows: name of the run -> metrics, means of all draws, and `score_stddev`, by how much their scores differ; `REAL` is the
            ceiling.
        shapes: name of the run -> some of its first draw, `REAL` -> some of the training set's; (8, n, n, n).

    Example:
        >>> print(GeneratorComparison("test", 100, {REAL: {"score": 0.5}, "runs/gan": {"score": 0.6}}, {}).table())
                            score
        training shapes     0.500
        runs/gan            0.600
    """

    split: str
    count: int
    rows: dict[str, dict[str, float]]
    shapes: dict[str, np.ndarray]

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
    runs: Sequence[Run],
    split: str = "test",
    seed: int = 1,
    draws: int = 5,
    voxnet: Run | None = None,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> GeneratorComparison:
    """Measures the generators of some runs of `train_gan`, and real training shapes, against the same held-out shapes.

    Args:
        runs: trained on the same data.
        split: `validation` or `test`.
        seed: of the latents; whatever it is, they are not those that a training has chosen its best generator by.
        draws: how often as many shapes are drawn as are held out; one draw of 100 moves the score by some 0.02.
        voxnet: a run whose features give the Frechet distance.
        data_dir: where TFDS keeps prepared data sets.
        manual_dir: where the source of a data set lies that must be fetched by hand.

    Raises:
        InputError: a run is missing or of another kind, or two were trained on different data.
    """
    dataset, classes, resolution = common_data(runs)
    load = (classes, resolution, data_dir, manual_dir)
    train, reference = (data.load(dataset, part, *load) for part in ("train", split))
    classifier = offer(voxnet, "classifier")(voxnet) if voxnet else None
    protocol = best_generator.protocol(train, reference, classifier)
    shown = np.random.default_rng(seed).permutation(len(train))[:_DRAWN]
    rows = {REAL: _means([protocol.ceiling(seed + draw) for draw in range(draws)])}
    shapes = {REAL: train.grids(shown)}
    for run in runs:
        generator = offer(run, "generator")(run)
        sizes = (protocol.count, generator.latent_size, run.settings["latent_stddev"])
        # The seed of a training is a number alone.
        latents = [best_generator.latents(*sizes, (seed, draw + 1)) for draw in range(draws)]
        measured = [protocol.measure(best_generator.generate(generator, each)) for each in latents]
        rows[run.name] = _means(measured)
        shapes[run.name] = best_generator.generate(generator, latents[0][:_DRAWN])
    return GeneratorComparison(split, protocol.count, rows, shapes)


def _means(draws: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each metric the mean, and of several draws the standard deviation of their scores."""
    means = {name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]}
    if len(draws) > 1:
        means["score_stddev"] = float(np.std([draw["score"] for draw in draws], ddof=1))
    return means
