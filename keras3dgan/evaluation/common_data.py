"""The data that several runs have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from keras3dgan import data
from keras3dgan.errors import InputError
from keras3dgan.runs import Run


def by_data(runs: Iterable[Run]) -> dict[tuple[str, tuple[str, ...], int], list[Run]]:
    """Runs by data set, classes and resolution that they were trained on.

    A preset names a `.npz` file without its folder; a run beside it tells where that is.
    """
    runs = list(runs)
    datasets = sorted({run.settings["dataset"] for run in runs})
    groups: dict[tuple[str, tuple[str, ...], int], list[Run]] = {}
    for run in runs:
        settings = run.settings
        key = (_with_folder(settings["dataset"], datasets), tuple(settings["classes"]), settings["resolution"])
        groups.setdefault(key, []).append(run)
    return groups


def common_data(runs: Sequence[Run]) -> tuple[str, tuple[str, ...], int]:
    """Data set, classes and resolution that all of some runs were trained on, as `by_data` finds them.

    Raises:
        InputError: two were trained on different data.
    """
    groups = by_data(runs)
    if len(groups) > 1:
        raise InputError("these were trained on different data; name runs of one data set only.", "models")
    return next(iter(groups))


def _with_folder(name: str, datasets: Iterable[str]) -> str:
    """What another name calls the same file, with its folder, if there is one."""
    if not data.is_file(name):
        return name
    return next((other for other in datasets if other != name and os.path.basename(other) == name), name)
