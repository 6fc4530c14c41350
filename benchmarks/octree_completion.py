"""How well the octree model completes test chairs of which a part is known: IoU of the rest, by candidates.

python benchmarks/octree_completion.py --data=modelnet10.npz --output=results/completion_octree.json
"""

from __future__ import annotations

import argparse
import shlex
import sys

import numpy as np

from keras3dgan import codec, data
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.provenance import write_result
from keras3dgan.voxels.grid import iou

_SHAPES = 24
_CANDIDATES = (1, 4, 16)


def parts(size: int) -> dict[str, np.ndarray]:
    """What is known, boolean (n, n, n), by its name."""
    lower, left = np.zeros((2, size, size, size), bool)
    lower[:, :, : size * 7 // 16] = True
    left[:, : size // 2] = True
    return {
        "lower 7/16": lower,
        "left half": left,
        "1/20, at random": np.random.default_rng(0).random(left.shape) < 0.05,
    }


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the .npz file of ModelNet10")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    shapes = data.load(arguments.data, "test", ("chair",)).grids(slice(0, _SHAPES))
    used = codec.load("octree32")
    assert isinstance(used, OctreeCodec)
    found: dict[str, dict[str, float]] = {}
    for name, known in parts(used.resolution).items():
        found[name] = {}
        for candidates in _CANDIDATES:
            grids = np.concatenate(
                [used.complete(grid, known, seed=seed, candidates=candidates) for seed, grid in enumerate(shapes)]
            )
            assert (grids[:, known] == shapes[:, known]).all()
            found[name][str(candidates)] = float(iou(shapes * ~known, grids * ~known).mean())
        print(name, found[name], flush=True)
    content = {"completion": found, "model": used.fingerprint.hex()[:12], "shapes": _SHAPES, "split": "test"}
    write_result(arguments.output, shlex.join(["python", *sys.argv]), content)


if __name__ == "__main__":
    main()
