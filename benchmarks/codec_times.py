"""How long coding a shape takes, beside general compressors and Draco; run it on a machine that does nothing else.

python benchmarks/codec_times.py --data=modelnet10.npz --output=results/codec_times.json
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable

import baselines
import numpy as np

from keras3dgan import codec, data
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.provenance import write_result

_SHAPES = 100
_TURNS = 3


def times(used: ShapeCodec, dictionary: np.ndarray, grids: np.ndarray) -> dict[str, dict[str, float]]:
    """Milliseconds a shape on one core, all in turn, three times: the least.

    Args:
        used: the codec.
        dictionary: packed training shapes, from which zstd makes its dictionary.
        grids: the shapes to code.
    """
    ways: dict[str, tuple[Callable, Callable]] = {
        "this codec, lossless, batch 1": (
            lambda: [used.encode(grid) for grid in grids],
            lambda streams: [used.decode(stream) for stream in streams],
        ),
        f"this codec, lossless, batch {len(grids)}": (lambda: used.encode(grids), used.decode),
    }
    for name, how in baselines.lossless(dictionary).items():
        ways[name] = (
            lambda how=how: [how.encode(grid) for grid in grids],
            lambda streams, how=how: [how.decode(stream) for stream in streams],
        )
    best: dict[str, dict[str, float]] = {}
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for _ in range(_TURNS):
        for name, (encode, decode) in ways.items():
            begin = time.perf_counter()
            streams = encode()
            middle = time.perf_counter()
            decode(streams)
            end = time.perf_counter()
            found = {"encode_ms": 1000 * (middle - begin) / len(grids), "decode_ms": 1000 * (end - middle) / len(grids)}
            best[name] = {k: round(min(v, best.get(name, found)[k]), 4) for k, v in found.items()}
    return best


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the .npz file of ModelNet10")
    parser.add_argument("--model", default=codec.DEFAULT, help="as of keras3dgan compress")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    train, test = (data.load(arguments.data, split) for split in ("train", "test"))
    grids = test.take(np.random.default_rng(0).permutation(len(test))[:_SHAPES]).grids()
    load = os.getloadavg()[0]
    found = times(codec.load(arguments.model), train.packed, grids)
    content = {"codec_times": found, "load_before": load, "shapes": len(grids), "split": "test"}
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
