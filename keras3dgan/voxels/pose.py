"""The 24 ways in which a shape can lie in its grid, turned to and back, and trees of files that lie on their side."""

import os
import pathlib
import re
from collections.abc import Sequence

import numpy as np

# ShapeNetCore's `02691156/<model>/models/model_normalized.obj` (version 1: `02691156/<model>/model.obj`), its voxelisations,
# and 3D-R2N2's `ShapeNetVox32/02691156/<model>/model.binvox`: a WordNet number of eight digits, a model, a file `model...`.
_SHAPENET = re.compile(r"(^|/)0[1-4]\d{6}/[^/]+/(models/)?model[^/]*\.(obj|binvox)$", re.IGNORECASE)


# What brings each of the six sides up: rows are the new x, y and z in terms of the old.
_SIDES = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],  # z, as it is
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]],  # y
        [[1, 0, 0], [0, -1, 0], [0, 0, -1]],  # -z
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]],  # -y
        [[0, 0, -1], [0, 1, 0], [1, 0, 0]],  # x
        [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],  # -x
    ]
)
_QUARTER = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])


def _rotations() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Axes and signs of the 24 proper rotations of the cube: each side up, by quarter turns about z."""
    matrices = [np.linalg.matrix_power(_QUARTER, turns) @ side for side in _SIDES for turns in range(4)]
    return [(tuple(np.abs(m).argmax(axis=1).tolist()), tuple(m.sum(axis=1).tolist())) for m in matrices]


_ROTATIONS = _rotations()
COUNT = len(_ROTATIONS)
# Upright, by quarter turns about z.
UPRIGHT = range(4)
# The shape's y becomes up, by quarter turns about z; the first is what `up="y"` does when a file is read.
Y_UP = range(4, 8)


def turn(grid: np.ndarray, pose: int) -> np.ndarray:
    """The grid (n, n, n), turned into a pose from 0 (as it is) to 23; nothing is mirrored."""
    axes, signs = _ROTATIONS[pose]
    turned = grid.transpose(axes)
    return np.ascontiguousarray(turned[tuple(slice(None, None, sign) for sign in signs)])


def turn_back(grid: np.ndarray, pose: int) -> np.ndarray:
    """Undoes `turn`."""
    axes, signs = _ROTATIONS[pose]
    back = grid[tuple(slice(None, None, sign) for sign in signs)]
    return np.ascontiguousarray(back.transpose(np.argsort(axes)))


def distinct(grid: np.ndarray, poses: Sequence[int] = range(COUNT)) -> dict[int, np.ndarray]:
    """The grid in each of these poses, without those that look like an earlier one: a cube has one, a chair four or more."""
    seen: set[bytes] = set()
    found = {}
    for pose in poses:
        turned = turn(grid, pose)
        key = np.packbits(turned.astype(bool)).tobytes()
        if key not in seen:
            seen.add(key)
            found[pose] = turned
    return found


def up_of_tree(path: str | os.PathLike[str]) -> str | None:
    """`y` for a file of a ShapeNet or 3D-R2N2 tree, told by its folders; None for any other."""
    return "y" if _SHAPENET.search(pathlib.Path(os.path.abspath(path)).as_posix()) else None
