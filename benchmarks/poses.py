"""Measures what turning shapes before they are coded saves: bytes of `.g3c` files as read, by quarter turns, by all poses.

python benchmarks/poses.py --data=modelnet10.npz,furniture_voxels --output=results/poses.json

Each set is measured as it stands, and turned at random, as files lie whose up nobody tells.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence

import numpy as np
import tqdm

from keras3dgan import codec, data
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.provenance import write_result
from keras3dgan.voxels import pose

_POSES = {"as_read": range(1), "quarter_turns": pose.UPRIGHT, "all_poses": range(pose.COUNT)}


def mean_bytes(grids: np.ndarray, used: OctreeCodec, poses: Sequence[int]) -> float:
    """Mean bytes of a file of each grid, which may be turned into these poses."""
    found = OctreeCodec(used.octree, poses=poses)
    sizes = [len(found.encode(grid)) for grid in tqdm.tqdm(grids, disable=None, leave=False)]
    return round(float(np.mean(sizes)), 2)


def main() -> None:
    """Measures every set and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="data sets, by comma")
    parser.add_argument("--split", default="validation", choices=["validation", "test"])
    parser.add_argument("--model", default=codec.DEFAULT, help="octree model")
    parser.add_argument("--count", type=int, default=100, help="shapes of each set at most")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    used = codec.load(arguments.model)
    random = np.random.default_rng(0)
    rows = {}
    for name in arguments.data.split(","):
        shapes = data.load(name, arguments.split, (), used.resolution)
        chosen = np.sort(random.permutation(len(shapes))[: arguments.count])
        upright = shapes.grids(chosen)
        turned = np.stack([pose.turn(grid, int(random.integers(pose.COUNT))) for grid in upright])
        for title, grids in (("as it stands", upright), ("turned at random", turned)):
            row = {key: mean_bytes(grids, used, poses) for key, poses in _POSES.items()}
            rows[f"{name.rpartition('/')[2]}, {title}"] = {"shapes": len(grids), **row}
            print(title, row)
    content = {"split": arguments.split, "model": arguments.model, "poses": rows}
    write_result(arguments.output, "python " + shlex.join(sys.argv), content)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
