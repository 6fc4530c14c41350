"""Measures shapes drawn from the octree models against shapes held out, by the protocol of `keras3dgan evaluate_gan`.

python benchmarks/octree_generation.py --data=modelnet10.npz --chosen_by=runs/train_only/models/octree.npz \
    --output=results/generation_octree.json --picture=docs/generation_octree.png

The temperature is chosen on validation shapes by a model that has not learnt from them; without --chosen_by the choice that
--output holds is kept.

keras3dgan train_octree --workdir=runs/train_only --dataset=modelnet10.npz --more_datasets=furniture_voxels --known=none \
    --epochs=6 --steps=1000
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pathlib
import shlex
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras3dgan import codec, data
from keras3dgan.codec.octree import classes
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.metrics.distances import iou_distances
from keras3dgan.metrics.generation import GenerationProtocol
from keras3dgan.provenance import write_result
from keras3dgan.report import figures
from keras3dgan.voxels.shape_set import MODELNET10_CLASSES, ShapeSet

_FURNITURE = "furniture_voxels"
_SEEDS = (1, 2, 3)
_TEMPERATURES = (0.7, 0.8, 0.9, 1.0)
# What `sample` takes by default; measured too, never chosen.
_DEFAULT = 0.8
_DRAWN = 8
# Of all classes so many shapes are compared, drawn once.
_MOST = 300


@dataclasses.dataclass(frozen=True)
class Task:
    """Shapes to be imitated.

    Attributes:
        name: for the tables.
        dataset: name or path.
        classes: of the data set that are measured, and that prototypes are drawn by; all of the data set's if empty.
        resolution: of the grids.
        model: whose samples are measured.
        learnt: the splits that this model has learnt from.
    """

    name: str
    dataset: str
    classes: tuple[str, ...]
    resolution: int
    model: str
    learnt: tuple[str, ...]


def tasks(modelnet: str) -> list[Task]:
    """All that is measured."""
    both = ("train", "validation")
    return [
        Task("chair", modelnet, ("chair",), 32, "octree32", both),
        Task("toilet", modelnet, ("toilet",), 32, "octree32", both),
        Task("furniture 64^3", _FURNITURE, (), 64, "octree64", ("train",)),
        Task("all classes", modelnet, (), 32, "octree32", both),
    ]


def load(task: Task, splits: Sequence[str], data_dir: str | None, every_class: bool = False) -> ShapeSet:
    """The shapes of a task, of some splits."""
    wanted = () if every_class else task.classes
    first, *others = (data.load(task.dataset, split, wanted, task.resolution, data_dir) for split in splits)
    for other in others:
        parts = {
            name: np.concatenate([getattr(first, name), getattr(other, name)]) for name in ("packed", "labels", "ids")
        }
        first = dataclasses.replace(first, **parts)
    return first


def held_out(task: Task, split: str, data_dir: str | None) -> np.ndarray:
    """The shapes that samples are compared with."""
    shapes = load(task, (split,), data_dir)
    return shapes.grids(np.sort(np.random.default_rng(0).permutation(len(shapes))[:_MOST]))


def sampled_classes(task: Task) -> tuple[str, ...]:
    """By which classes prototypes are drawn: of ModelNet10's model those of ModelNet10, for it knows other furniture too."""
    return task.classes or (() if task.dataset == _FURNITURE else MODELNET10_CLASSES)


def measure(used: OctreeCodec, task: Task, temperature: float, seed: int, protocol: GenerationProtocol) -> tuple:
    """Metrics of as many samples as the protocol takes, the samples, and milliseconds a shape."""
    begin = time.perf_counter()
    shapes = used.sample(protocol.count, temperature, seed, sampled_classes(task))
    spent = 1000 * (time.perf_counter() - begin) / len(shapes)
    return protocol.measure(shapes), shapes, spent


def summary(rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Mean, least and most over seeds."""
    keys = [key for key in rows[0] if all(key in row for row in rows)]
    columns = {key: [row[key] for row in rows] for key in keys}
    found = {
        name: {k: float(f(v)) for k, v in columns.items()}
        for name, f in (("mean", np.mean), ("least", min), ("most", max))
    }
    return {**found, "seeds": dict(zip(map(str, _SEEDS), rows, strict=True))}


def of_class(shapes: np.ndarray, every: ShapeSet, task: Task) -> float:
    """Share of the shapes whose nearest training shape, among all classes, is of the task's."""
    nearest = iou_distances(shapes, every.grids()).argmin(axis=1)
    return float(np.mean([every.class_names[label] in task.classes for label in every.labels[nearest]]))


def choose(path: str, found: Sequence[Task], data_dir: str | None) -> dict[str, Any]:
    """The temperature with the best mean score on validation shapes, by a model that learnt from the train split alone."""
    octree = OctreeModel.load(path)
    tables: dict[str, Any] = {}
    for task in (task for task in found if task.resolution == octree.resolution):
        every = load(task, ("train",), data_dir, True)
        numbers = octree.codebook.nearest(every.grids())[:, 0]
        labels = [every.class_names[label] for label in every.labels]
        octree.codebook.classes = classes.count(numbers, octree.codebook.prototypes, labels)
        protocol = GenerationProtocol(held_out(task, "validation", data_dir), load(task, ("train",), data_dir).grids())
        tables[task.name] = {
            str(t): summary([measure(OctreeCodec(octree), task, t, seed, protocol)[0] for seed in _SEEDS])["mean"]
            for t in _TEMPERATURES
        } | {"training shapes": summary([protocol.ceiling(seed) for seed in _SEEDS])["mean"]}
        for t, row in tables[task.name].items():
            print(f"validation {task.name} {t}: " + _words(row), flush=True)
    scores = {t: float(np.mean([table[str(t)]["score"] for table in tables.values()])) for t in _TEMPERATURES}
    best = min(scores, key=lambda t: scores[t])
    return {"model": octree.fingerprint.hex()[:12], "temperature": best, "mean_score": scores, "validation": tables}


def test(task: Task, temperatures: Sequence[float], data_dir: str | None) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What is measured of a task against its test shapes, and shapes for the picture: real ones and samples, in order."""
    used = codec.load(task.model)
    assert isinstance(used, OctreeCodec)
    learnt = load(task, task.learnt, data_dir)
    every = load(task, task.learnt, data_dir, every_class=True)
    protocol = GenerationProtocol(held_out(task, "test", data_dir), learnt.grids())
    real = {"novelty": float(iou_distances(protocol.reference, protocol.train).min(axis=1).mean())}
    if task.classes:
        real["of_class"] = of_class(protocol.reference, every, task)
    content: dict[str, Any] = {
        "model": f"{task.model} {used.fingerprint.hex()[:12]}",
        "shapes": protocol.count,
        "learnt_from": [*task.learnt],
        "classes": sampled_classes(task),
        "training shapes": summary([protocol.ceiling(seed) for seed in _SEEDS]),
        "test shapes": real,
    }
    pictured = [learnt.grids(np.random.default_rng(1).permutation(len(learnt))[:_DRAWN])]
    for temperature in temperatures:
        rows, spent, hashes = [], [], {}
        for seed in _SEEDS:
            row, shapes, milliseconds = measure(used, task, temperature, seed, protocol)
            if task.classes:
                row["of_class"] = of_class(shapes, every, task)
            if seed == _SEEDS[0]:
                pictured.append(shapes[:_DRAWN])
            hashes[str(seed)] = hashlib.sha256(np.packbits(shapes).tobytes()).hexdigest()[:16]
            rows.append(row)
            spent.append(milliseconds)
        name = f"temperature {temperature}"
        content[name] = {**summary(rows), "milliseconds_a_shape": min(spent), "sha256_of_samples": hashes}
        print(f"test {task.name}, {name}: " + _words(content[name]["mean"]), flush=True)
    print(f"test {task.name}, training shapes: " + _words(content["training shapes"]["mean"]), flush=True)
    return content, pictured


def _words(row: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.3f}" for name, value in row.items())


def main() -> None:
    """Measures, writes JSON and a picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the .npz file of ModelNet10")
    parser.add_argument("--chosen_by", help="octree model that learnt from the train split alone")
    parser.add_argument("--data_dir", help="where TFDS keeps prepared data sets")
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--picture", required=True, help="PNG file to write")
    arguments = parser.parse_args()
    found = tasks(arguments.data)
    if arguments.chosen_by:
        chosen = choose(arguments.chosen_by, found, arguments.data_dir)
    else:
        chosen = json.loads(pathlib.Path(arguments.output).read_text())["chosen"]
    temperatures = [chosen["temperature"]] + [_DEFAULT] * (chosen["temperature"] != _DEFAULT)
    measured, pictured, titles = {}, [], []
    for task in found:
        measured[task.name], rows = test(task, temperatures, arguments.data_dir)
        pictured += rows
        titles += [f"{task.name}: training", *(f"{task.name}: drawn at {t}" for t in temperatures)]
        content = {"split": "test", "seeds": _SEEDS, "chosen": chosen, "generation": measured}
        write_result(arguments.output, shlex.join(["python", *sys.argv]), content)
    figures.save(figures.shapes(pictured, titles), pathlib.Path(arguments.picture))
    print(f"wrote {arguments.output} and {arguments.picture}")


if __name__ == "__main__":
    main()
