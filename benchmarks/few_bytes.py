"""What `--bytes` buys at 64^3 with the prices for few bytes, and what it bought without: validation shapes of the furniture.

python benchmarks/few_bytes.py --shapes=16 --output=results/few_bytes.json
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

import numpy as np
import tqdm

from keras3dgan import codec
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.octree_codec import OctreeCodec, points
from keras3dgan.codec.octree.search import Way
from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.provenance import write_result

_BYTES = (25, 50, 75, 100, 150, 200)


def bought(found: Sequence[Sequence[Way]], most: int) -> dict[str, float]:
    """Means over shapes of the best way within so many bytes, and the share of shapes that are sent as a known one."""
    chosen = Goal(bytes=most).choose([points(ways, archived=False) for ways in found])
    row = {
        "bytes": np.mean([point.size for point in chosen]),
        "iou": np.mean([point.iou for point in chosen]),
        "known": np.mean([point.way.start.verbatim for point in chosen]),
    }
    return {name: round(float(value), 4) for name, value in row.items()}


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=int, default=16, help="validation shapes, drawn at random")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    used = codec.load("octree64")
    assert isinstance(used, OctreeCodec)
    shapes = bundled.read("validation", used.resolution)
    grids = shapes.grids(np.random.default_rng(0).permutation(len(shapes))[: arguments.shapes])
    cheap, found = search.CHEAP_PRICES, {}
    for name, prices in (("before", ()), ("now", cheap)):
        search.CHEAP_PRICES = prices
        ways = [search.ways(used.octree, grid) for grid in tqdm.tqdm(grids, desc=name)]
        found[name] = {str(most): bought(ways, most) for most in _BYTES}
        print(name, found[name], flush=True)
    content = {"few_bytes": found, "shapes": len(grids), "split": "validation", "model": used.fingerprint.hex()[:12]}
    write_result(arguments.output, shlex.join(sys.argv), content)


if __name__ == "__main__":
    main()
