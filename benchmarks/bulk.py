"""Bulk compression: shapes a second with one worker and with two, and memory with a collection four times as large.

python benchmarks/bulk.py --model=runs/compressor --output=results/bulk.json [--count=400]

The collection is made of the bundled furniture, written as meshes, so that the work is a person's: read, voxelise, compress.
Workers are processes of Beam's local runner.
"""

import argparse
import json
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

_PEAK = """
import json, resource, sys
from keras3dgan.commands import main
sys.argv = sys.argv[1:]
try:
    main.run("bulk_compress")
finally:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"peak_mib": peak // 1024}), flush=True)
"""


def write_collection(folder: pathlib.Path, count: int) -> None:
    """So many meshes; furniture again and again under other names."""
    shapes = data.load("furniture_voxels", "train")
    for index in range(count):
        write_shape(
            folder / f"{index % 97:02d}" / f"{index:06d}.stl", shapes.grids(slice(index % len(shapes), None))[0]
        )


def run(model: str, folder: pathlib.Path, workers: int, shard_size: int) -> dict[str, float]:
    """Seconds of the command, its start included, and the peak memory of its largest process."""
    with tempfile.TemporaryDirectory() as output:
        beam = f"--direct_num_workers={workers} --direct_running_mode=multi_processing"
        words = [
            "bulk_compress",
            f"--model={model}",
            f"--output={output}",
            f"--shard_size={shard_size}",
            f"--beam={beam}",
        ]
        # A worker's share of the machine must not depend on how many there are.
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
        }
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, *words, str(folder)],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        seconds = time.perf_counter() - begin
        size = sum(path.stat().st_size for path in pathlib.Path(output).glob("*.g3a"))
    return {"seconds": round(seconds, 1), "archive_bytes": size, **json.loads(done.stdout.strip().splitlines()[-1])}


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="run of train_compressor")
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--count", type=int, default=400, help="meshes of the smaller collection")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (arguments.count, 4 * arguments.count):
            collection = pathlib.Path(folder) / str(count)
            write_collection(collection, count)
            for workers in (1, 2):
                found = run(arguments.model, collection, workers, arguments.count // 8)
                rows.append({"shapes": count, "workers": workers, **found})
                print(rows[-1], flush=True)
    # What starting costs falls out of the difference between the collections.
    rates = {
        workers: 3 * arguments.count / (large["seconds"] - small["seconds"])
        for workers in (1, 2)
        for small, large in [[row for row in rows if row["workers"] == workers]]
    }
    content = {
        "runs": rows,
        "shapes_per_second": {str(workers): round(rate, 2) for workers, rate in rates.items()},
        "growth_from_1_to_2_workers": round(rates[2] / rates[1], 2),
    }
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(
        f"{content['shapes_per_second']} shapes/s, growth {content['growth_from_1_to_2_workers']}; wrote {arguments.output}"
    )


if __name__ == "__main__":
    main()
