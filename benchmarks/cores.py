"""Times `keras3dgan compress` of a folder of meshes on one core and on two, in turns; with what starting takes.

python benchmarks/cores.py --output=results/cores.json

The folder holds the bundled furniture's test part twice, written as meshes, so that the work is a person's: read, voxelise, try
24 poses, compress, decode again and compare.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

from keras3dgan import data
from keras3dgan.provenance import write_result
from keras3dgan.voxels.io import write_shape


def seconds(folder: pathlib.Path, cores: set[int]) -> float:
    """Of the whole command on these cores."""
    with tempfile.TemporaryDirectory() as output:
        words = ["-m", "keras3dgan", "compress", f"--output={output}/all.g3a", str(folder)]
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, *words], check=True, capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, cores)
        )
        return time.perf_counter() - begin


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--turns", type=int, default=3, help="the least of so many counts")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("cores: this needs two cores.")
    load = os.getloadavg()[0]
    grids = data.load("furniture_voxels", "test").grids()
    sets = {"one core": {cores[0]}, "two cores": set(cores[:2])}
    taken: dict[str, list[float]] = {name: [] for name in sets}
    with tempfile.TemporaryDirectory() as folder:
        for row, grid in enumerate([*grids, *grids]):
            write_shape(pathlib.Path(folder) / f"{row}.stl", grid)
        for _ in range(arguments.turns):
            for name, some in sets.items():
                taken[name].append(round(seconds(pathlib.Path(folder), some), 2))
                print(name, taken[name], flush=True)
    one, two = (min(each) for each in taken.values())
    content = {
        "meshes": 2 * len(grids),
        "cores_seconds": taken,
        "two_cores_are_faster_by": round(one / two, 2),
        "load_before": load,
    }
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"two cores are {content['two_cores_are_faster_by']} times as fast; wrote {arguments.output}")


if __name__ == "__main__":
    main()
