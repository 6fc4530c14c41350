"""What a file of `results/` says of one run, in the few numbers that stand beside a preset's name."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from keras3dgan.errors import InputError
from keras3dgan.runs import Run, read_object

_CODEC = {"iou": "IoU", "bytes": "bytes"}
_GENERATOR = {
    "score": "score",
    "coverage_iou": "coverage",
    "nna_iou": "1-NN accuracy",
    "mmd_iou": "MMD",
    "frechet": "Frechet distance",
    "largest_component": "largest component",
}
_RECONSTRUCTION = {"iou": "IoU, one view", "iou_all_views": "IoU, all views"}
_ACCURACY = {"test_accuracy": "accuracy"}


def quality(path: str | os.PathLike[str], run: Run) -> dict[str, Any]:
    """The numbers that an `evaluate` command measured of a run.

    Args:
        path: the JSON file that the command wrote.
        run: whose folder or name is in the file, the last part of the path at least, where it tells of several runs.

    Returns:
        `split`, `shapes`, and the numbers by what tables call them.

    Raises:
        InputError: the file is none of these, or does not tell of this run.
    """
    content = read_object(pathlib.Path(path))
    split, count = content.get("split", "test"), content.get("shapes")
    if "codecs" in content:
        rows = {row["run"]: row for row in content["codecs"].values() if "run" in row}
        row, titles = _row(rows, run, path), _CODEC
    elif "generators" in content:
        row, titles = _row(content["generators"], run, path), _GENERATOR
    elif "reconstruction" in content:
        # The model comes first, then the baselines.
        row = {name: next(iter(content["reconstruction"].values())) for name in content["trainings"]}
        row, titles = _row(row, run, path), _RECONSTRUCTION
    elif "classification" in content:
        votes = content["votes"]
        row, titles = content["classification"], {"accuracy": "accuracy" + (f" by {votes} votes" if votes > 1 else "")}
    elif "features" in content:
        row, titles, count = content["features"]["trained"], {"test_accuracy": "linear SVM"}, content["test_shapes"]
    else:
        raise InputError(f"{path}: no file of an evaluate command; give one.", "results")
    return {"split": split, "shapes": row.get("shapes", count), **_named(row, titles)}


def own(run: Run) -> list[dict[str, Any]]:
    """What a training measured on the test split itself, in the form of `quality`; empty for most kinds."""
    result = run.result() or {}
    if "test_accuracy" not in result:
        return []
    return [{"split": "test", "shapes": result["test_shapes"], **_named(result, _ACCURACY)}]


def sentence(measured: Mapping[str, Any]) -> str:
    """A measurement in words: `IoU 0.83, bytes 61.2 (100 test shapes)`."""
    numbers = ", ".join(f"{name} {value:.3g}" for name, value in measured.items() if name not in ("split", "shapes"))
    return f"{numbers} ({measured['shapes']} {measured['split']} shapes)"


def _row(rows: Mapping[str, Any], run: Run, path: str | os.PathLike[str]) -> Mapping[str, Any]:
    same = [name for name in rows if pathlib.Path(name) == pathlib.Path(run.name)]
    found = same or [name for name in rows if pathlib.Path(name).name == pathlib.Path(run.name).name]
    if len(found) != 1:
        raise InputError(f"{path}: does not tell of {run.name} but of {', '.join(rows)}; give another file.", "results")
    return rows[found[0]]


def _named(row: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, float]:
    return {title: round(float(row[name]), 4) for name, title in titles.items() if name in row}
