"""How the time that coding takes grows with resolution: the same shapes at 32^3, 64^3 and 128^3, on one core.

    python -m keras3dgan.datasets.open_shapes_voxels.prepare --output=open_shapes
    python benchmarks/codec_growth.py --open=open_shapes --output=results/codec_growth.json

A voxel is coded where its parent is occupied: their number grows with the occupied surface and what lies below it.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time

import numpy as np

from keras3dgan import codec, data
from keras3dgan.codec.octree import features
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.provenance import write_result

_TURNS = 3


def coded(grid: np.ndarray) -> int:
    """Voxels of a grid (n, n, n) that are coded, at all levels."""
    *parents, _ = features.pyramid(grid[None])
    return features.BASE**3 + 8 * sum(int(level.sum(dtype=np.int64)) for level in parents)


def surface(grid: np.ndarray) -> int:
    """Occupied voxels with an empty one beside a face."""
    padded = np.pad(grid > 0, 1)
    inner = padded[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return int(grid.sum(dtype=np.int64)) - int(inner.sum(dtype=np.int64))


def measure(octree: OctreeModel, grids: np.ndarray) -> dict[str, float]:
    """Processor time a shape, all in turn, the least of some turns, without poses and without checking."""
    codings, decodings = [], []
    for _ in range(_TURNS):
        begin = time.process_time()
        payloads = [octree.encode(grid[None]) for grid in grids]
        middle = time.process_time()
        restored = [octree.decode(payload)[0] for payload in payloads]
        codings.append(middle - begin)
        decodings.append(time.process_time() - middle)
        assert np.array_equal(restored, grids)
    voxels = float(np.mean([*map(coded, grids)]))
    row = {"coded_voxels": voxels, "surface_voxels": float(np.mean([*map(surface, grids)]))}
    row["bytes"] = float(np.mean([*map(len, payloads)]))
    for name, seconds in (("encode", min(codings)), ("decode", min(decodings))):
        row[f"{name}_ms"] = 1000 * seconds / len(grids)
        row[f"{name}_ms_a_thousand"] = 1e6 * seconds / len(grids) / voxels
    return {name: round(value, 3) for name, value in row.items()}


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", required=True, help="the folder that open_shapes_voxels' prepare wrote")
    parser.add_argument("--models", default=",".join(codec.shipped()), help="octree models, by comma, names or files")
    parser.add_argument("--shapes", type=int, default=24, help="test shapes, drawn at random")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found = {}
    for name in arguments.models.split(","):
        used = codec.load(name)
        assert isinstance(used, OctreeCodec)
        size = used.resolution
        test = data.load(os.path.join(arguments.open, f"open_{size}.npz"), "test", (), size)
        rows = np.sort(np.random.default_rng(0).permutation(len(test))[: arguments.shapes])
        found[name] = {"resolution": size, **measure(used.octree, test.grids(rows))}
        print(name, found[name], flush=True)
    content = {"growth": found, "shapes": arguments.shapes, "split": "test", "load": os.getloadavg()[0]}
    write_result(arguments.output, shlex.join(sys.argv), content)


if __name__ == "__main__":
    main()
