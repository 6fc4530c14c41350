"""A million damaged streams: each must give an error or a valid grid, in bounded time and memory.

    python benchmarks/fuzz.py --output=results/fuzz.json [--count=1000000] [--model=octree32]

Streams of the bundled shapes are flipped, cut, spliced, repeated and filled; of every fifty one gets its checksum made right
again, so that what lies behind it is tried too. Archives are damaged alike, one for every five hundred streams.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import multiprocessing
import os
import pathlib
import resource
import shlex
import sys
import tempfile
import time

import numpy as np
import tqdm

from keras3dgan import codec
from keras3dgan.codec import archive, container
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result

_BLOCK = 5000
_DEEP, _ARCHIVES = 50, 500
_SHAPES = 40


def mutate(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One damaged copy; never one of the two themselves, as two flips of a bit, or a splice at the very start, would give."""
    while (damaged := _mutate(content, other, rng)) in (content, other):
        pass
    return damaged


def _mutate(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    kind = rng.integers(6)
    data = bytearray(content)
    if kind == 0:  # flipped bits
        for _ in range(rng.integers(1, 9)):
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    elif kind == 1:  # cut
        del data[rng.integers(len(data)) :]
    elif kind == 2:  # spliced
        data = data[: rng.integers(len(data))] + bytearray(other[rng.integers(len(other)) :])
    elif kind == 3:  # inflated
        at = rng.integers(len(data))
        data[at:at] = bytes(data) * rng.integers(1, 60)
    elif kind == 4:  # extreme bytes, as sizes may be
        at = rng.integers(len(data))
        data[at : at + 8] = bytes([rng.choice([0, 127, 128, 255])]) * rng.integers(1, 9)
    else:  # noise
        data = bytearray(rng.bytes(rng.integers(200)))
    return bytes(data)


def attack(model: str, grids: np.ndarray, seed: int, count: int) -> tuple[dict[str, int], dict[str, float], int]:
    """Decodes damaged streams; outcomes, slowest seconds of each kind, and the peak memory of this process in MiB."""
    used = codec.load(model)
    streams = used.encode(grids)
    rng = np.random.default_rng(seed)
    outcomes: collections.Counter[str] = collections.Counter()
    slowest: dict[str, float] = collections.defaultdict(float)
    used.decode(streams[0])  # compiled before any time is taken
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.g3a"
        with archive.create(path, used) as writer:
            for row, point in enumerate(used.choose(grids, archived=True)):
                writer.add(f"shape-{row}", point)
        whole = path.read_bytes()
        for turn in range(count):
            one, two = (streams[row] for row in rng.integers(len(streams), size=2))
            if turn % _ARCHIVES == 0:
                kind = "archive"
                path.write_bytes(mutate(whole, whole, rng))
            elif turn % _DEEP == 1:
                kind = "checksum made right"
                payload = mutate(container.unwrap(one, used.fingerprint), container.unwrap(two, used.fingerprint), rng)
                content = container.wrap(payload, used.fingerprint)
            else:
                kind, content = "as damaged", mutate(one, two, rng)
            begin = time.perf_counter()
            try:
                restored = _first(used, path) if kind == "archive" else used.decode(content)
                assert restored.shape == (used.resolution,) * 3 and 0 <= restored.min() <= restored.max() <= 1
                outcomes[f"{kind}: grid"] += 1
            except InputError as error:
                assert "\n" not in str(error)
                outcomes[f"{kind}: error"] += 1
            slowest[kind] = max(slowest[kind], time.perf_counter() - begin)
    return dict(outcomes), dict(slowest), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _first(used: ShapeCodec, path: pathlib.Path) -> np.ndarray:
    found = archive.Archive(path)
    return found.shape(min(3, max(len(found) - 1, 0)), used)


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--count", type=int, default=1_000_000, help="streams")
    parser.add_argument("--model", default=codec.DEFAULT, help="as of keras3dgan compress")
    arguments = parser.parse_args()
    from keras3dgan import data

    begin = time.perf_counter()
    resolution = codec.load(arguments.model).resolution
    grids = data.load("furniture_voxels", "test", resolution=resolution).grids(slice(0, _SHAPES))
    outcomes: collections.Counter[str] = collections.Counter()
    slowest: dict[str, float] = collections.defaultdict(float)
    memory = 0
    blocks = -(-arguments.count // _BLOCK)
    fresh = multiprocessing.get_context("spawn")  # their memory is their own, without TensorFlow's
    with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0)), fresh) as pool:
        tasks = [pool.submit(attack, arguments.model, grids, seed, _BLOCK) for seed in range(blocks)]
        for task in tqdm.tqdm(concurrent.futures.as_completed(tasks), total=blocks, desc="blocks"):
            found, slow, peak = task.result()
            outcomes.update(found)
            slowest = {kind: max(slow[kind], slowest.get(kind, 0.0)) for kind in slow}
            memory = max(memory, peak)
    content = {
        "model": arguments.model,
        "streams": blocks * _BLOCK,
        "outcomes": dict(sorted(outcomes.items())),
        "slowest_ms": {kind: round(1000 * seconds, 1) for kind, seconds in sorted(slowest.items())},
        "peak_memory_mib": memory,
        "seconds": round(time.perf_counter() - begin, 1),
    }
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"{content['streams']} streams: {content['outcomes']}; wrote {arguments.output}")


if __name__ == "__main__":
    main()
