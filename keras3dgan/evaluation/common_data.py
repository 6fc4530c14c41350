"""The data that several runs have in common."""

from __future__ import annotations

import os
from collections.abc import Sequence

from keras3dgan import data
from keras3dgan.errors import InputError
from keras3dgan.runs import Run


def common_data(runs: Sequence[Run]) -> tuple[str, Sequence[str], int]:
    """Data set, classes and resolution that all of some runs were trained on.

    A preset names a `.npz` file without its folder; a run beside it tells where that is.

    Raises:
        InputError: two were trained on different data.
    """
    datasets = {run.settings["dataset"] for run in runs}
    bare = {name for name in datasets if data.is_file(name) and any(_lies_at(name, other) for other in datasets)}
    named = datasets - bare
    rest = {(*run.settings["classes"], run.settings["resolution"]) for run in runs}
    if len(named) > 1 or len(rest) > 1:
        raise InputError("these were trained on different data; name runs of one data set only.", "models")
    return named.pop(), runs[0].settings["classes"], runs[0].settings["resolution"]


def _lies_at(name: str, other: str) -> bool:
    """Whether another name is that of the same file with its folder."""
    return other != name and os.path.basename(other) == name
