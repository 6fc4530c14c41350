"""Prepares the data set as `.npz` files, which all `--dataset` flags read, with a table that names source and licence.

    apt-get install kicad-packages3d 0ad-data flightgear-data-models    # or more, README.md
    python -m keras3dgan.datasets.open_shapes_voxels.prepare --output=open_shapes

Started again on the same folder it goes on where it was.
"""

from __future__ import annotations

import argparse
import collections
import csv
import pathlib
import re
import sys
from collections.abc import Sequence

import numpy as np

from keras3dgan.datasets.open_shapes_voxels import selection
from keras3dgan.datasets.open_shapes_voxels.licences import may_be_carried
from keras3dgan.datasets.open_shapes_voxels.selection import Chosen
from keras3dgan.datasets.open_shapes_voxels.voxelizing import RESOLUTION, Voxelizer
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels import split_archive
from keras3dgan.voxels.shape_set import ShapeSet

RESOLUTIONS = (32, 64, 128)


def prepare(root: pathlib.Path, output: pathlib.Path, most: int = selection.MOST_OF_A_KIND) -> str:
    """Writes `open_32.npz`, `open_64.npz`, `open_128.npz` and `ATTRIBUTION.tsv`.

    Args:
        root: as `packages.installed`.
        output: the folder for them, and for `voxelised`, the grid of each file.
        most: shapes of a kind.

    Returns:
        What was made, and how many files became no shape for which reason.

    Raises:
        InputError: no package is there, or no file of them became a shape.
    """
    with Voxelizer(output / "voxelised") as voxelizer:
        looked_at = selection.choose(selection.candidates(root), voxelizer, most)
        kept = [each for each in looked_at if not each.reason]
        if not kept:
            raise InputError(f"{root}: none of {len(looked_at)} model files became a shape.")
        packed = np.stack([grids.pack(voxelizer.grid(each.model)) for each in kept])
    names = selection.kinds()
    labels = np.array([names.index(each.kind) for each in kept], np.int64)
    ids = np.array([each.model.id for each in kept])
    splits = np.array([each.split for each in kept])
    more = {
        "families": np.array([each.model.family for each in kept]),
        "packages": np.array([each.model.package.name for each in kept]),
        "licences": np.array([each.licence for each in kept]),
        "may_be_carried": np.array([may_be_carried(each.licence) for each in kept]),
    }
    size = RESOLUTION
    for n in sorted(RESOLUTIONS, reverse=True):
        packed, size = packed if n == size else split_archive.pooled(packed, size, n), n
        split_archive.write(output / f"open_{n}.npz", ShapeSet(packed, labels, ids, tuple(names), n), splits, more)
    _write_attribution(output / "ATTRIBUTION.tsv", looked_at)
    return _summary(looked_at)


def _write_attribution(path: pathlib.Path, looked_at: Sequence[Chosen]) -> None:
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["id", "kind", "split", "licence", "copyright", "source", "left out because"])
        for each in looked_at:
            source = f"{each.model.package.name} {each.version}, {each.model.path}"
            writer.writerow(
                [each.model.id, each.kind, each.split, each.licence, each.holders, source, each.reason or ""]
            )


def _summary(looked_at: Sequence[Chosen]) -> str:
    kept = [each for each in looked_at if not each.reason]
    lines = [f"{len(kept)} shapes of {len(looked_at)} files"]
    for title, values in (
        ("kind", [each.kind for each in kept]),
        ("split", [each.split for each in kept]),
        ("licence", [each.licence for each in kept]),
        ("left out", [_plain(each.reason) for each in looked_at if each.reason]),
    ):
        counts = collections.Counter(values).most_common()
        lines.append(f"{title}: " + ", ".join(f"{name} {count}" for name, count in counts))
    return "\n".join(lines)


def _plain(reason: str) -> str:
    """A reason without the names and numbers that differ from file to file."""
    return re.sub(r"^looks like .*", "looks like another", re.sub(r"\d+", "N", reason))


def main() -> None:
    """Prepares, and prints what was made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), help="where packages lie unpacked")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder for the archives")
    parser.add_argument("--most", type=int, default=selection.MOST_OF_A_KIND, help="shapes of a kind")
    arguments = parser.parse_args()
    try:
        print(prepare(arguments.root, arguments.output, arguments.most))
    except InputError as error:
        sys.exit(f"prepare: {error}")


if __name__ == "__main__":
    main()
