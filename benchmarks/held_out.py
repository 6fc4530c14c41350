"""Lossless bytes of octree models on shapes of many kinds that none has learnt from, beside general compressors.

    python -m keras3dgan.datasets.open_shapes_voxels.prepare --output=open_shapes
    python benchmarks/held_out.py --open=open_shapes --modelnet=modelnet10.npz --output=results/held_out.json

Bytes of the octree models are what their streams take, fractions included, without what a file or an archive adds; those of
general compressors are raw, without headers. zstd's dictionary is trained on the training split. *Octree, zstd* is a plain
octree: of every occupied cell one byte for its children, all of them squeezed by zstd. What --output holds of the same shapes
is kept, so that a model can be measured beside others later.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import baselines
import numpy as np
import tqdm
import zstandard

from keras3dgan import codec, data
from keras3dgan.codec.octree import features
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.provenance import write_result
from keras3dgan.voxels.shape_set import ShapeSet

_DRACO = "Draco"


def octree_bytes(grid: np.ndarray) -> int:
    """What a plain octree of a grid (n, n, n) takes: the children of occupied cells, coarse to fine, squeezed by zstd."""
    masks = []
    levels = features.pyramid(grid[None])
    for coarse, fine in itertools.pairwise(levels):
        n = len(coarse[0])
        children = fine[0].reshape(n, 2, n, 2, n, 2).transpose(0, 2, 4, 1, 3, 5)[coarse[0] > 0]
        masks.append(np.packbits(children.reshape(-1, 8), axis=1).tobytes())
    return len(zstandard.compress(np.packbits(levels[0]).tobytes() + b"".join(masks), 19))


def measure(models: Sequence[str], train: ShapeSet | None, test: ShapeSet, before: Mapping[str, Any]) -> dict[str, Any]:
    """Mean bytes of test shapes, by model and, given training shapes, by compressor, those of each class too; what stands in
    `before` is kept."""
    kept = before if before.get("shapes") == len(test) else {}
    octrees = [
        (f"{pathlib.Path(name).stem} {(used := codec.load(name)).fingerprint.hex()[:12]}", used) for name in models
    ]
    coders: dict[str, Callable[[np.ndarray], float]] = {name: _model_bytes(used) for name, used in octrees}
    if train is not None:
        others = baselines.lossless(train.packed)
        coders |= {name: _compressor_bytes(how) for name, how in others.items() if name != _DRACO}
        coders["octree, zstd"] = octree_bytes
    found = {
        name: np.array([size(test.grids(row)) for row in tqdm.trange(len(test), desc=name)])
        for name, size in coders.items()
        if name not in kept.get("bytes", {})
    }
    return _merged(kept, found, test)


def _model_bytes(used: OctreeCodec) -> Callable[[np.ndarray], float]:
    return used.octree.cost


def _compressor_bytes(how: baselines.Lossless) -> Callable[[np.ndarray], float]:
    return lambda grid: len(how.encode(grid))


def _merged(kept: Mapping[str, Any], found: Mapping[str, np.ndarray], test: ShapeSet) -> dict[str, Any]:
    occupied = float(np.mean([test.grids(row).sum(dtype=np.int64) for row in range(len(test))]))
    classes = {test.class_names[label]: test.labels == label for label in np.unique(test.labels)}

    def means(rows: np.ndarray | slice, share: float = 1.0) -> dict[str, float]:
        return {name: round(share * float(size[rows].mean()), 4) for name, size in found.items()}

    return {
        "shapes": len(test),
        "occupied": round(occupied, 1),
        "bytes": kept.get("bytes", {}) | means(slice(None)),
        "bits_a_voxel": kept.get("bits_a_voxel", {}) | means(slice(None), 8 / occupied),
        "by_class": {
            kind: kept.get("by_class", {}).get(kind, {"shapes": int(rows.sum())}) | means(rows)
            for kind, rows in classes.items()
        },
    }


def main() -> None:
    """Measures, and writes the JSON file after every set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", required=True, help="the folder that open_shapes_voxels' prepare wrote")
    parser.add_argument("--modelnet", required=True, help="the .npz file of ModelNet10")
    parser.add_argument("--models", default=",".join(codec.shipped()), help="octree models, by comma, names or files")
    parser.add_argument("--split", default="test", help="the split to measure")
    parser.add_argument("--most", type=int, default=0, help="shapes of a set, drawn at random; default: all")
    parser.add_argument("--models_only", action="store_true", help="leave general compressors out")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    models: dict[int, list[str]] = {}
    for name in arguments.models.split(","):
        models.setdefault(codec.load(name).resolution, []).append(name)
    sets = {"ModelNet10, 32^3": (arguments.modelnet, 32)}
    for n in sorted(models):
        if n in bundled.RESOLUTIONS:
            sets[f"furniture, {n}^3"] = ("furniture_voxels", n)
        sets[f"open shapes, {n}^3"] = (os.path.join(arguments.open, f"open_{n}.npz"), n)
    output = pathlib.Path(arguments.output)
    before = json.loads(output.read_text())["held_out"] if output.exists() else {}
    found: dict[str, Any] = {}
    for title, (path, resolution) in sets.items():
        train = None if arguments.models_only else data.load(path, "train", (), resolution)
        test = data.load(path, arguments.split, (), resolution)
        if arguments.most and len(test) > arguments.most:
            test = test.take(np.sort(np.random.default_rng(0).permutation(len(test))[: arguments.most]))
        found[title] = measure(models[resolution], train, test, before.get(title, {}))
        print(title, found[title]["bytes"], flush=True)
        write_result(arguments.output, shlex.join(sys.argv), {"held_out": before | found, "split": arguments.split})


if __name__ == "__main__":
    main()
