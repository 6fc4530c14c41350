"""Bytes against IoU on a test split: this codec, the report's model, PCA, coarser grids, general compressors.

    python benchmarks/rate_distortion.py --data=modelnet10.npz --runs=runs/compressor --output=results/rate_distortion.json \
        --picture=docs/rate_distortion.png --cache=runs/rate_distortion

Bytes are those of one archive of all shapes, divided by their number: headers, index and checksums included. General compressors
are given without any. Every figure is also given without the test shapes that are also in the training split. Bits per
occupied voxel follow from how many a shape has on average. What takes long is
kept in --cache, and used again where the model is the same. How long coding takes is measured by codec_times.py.
"""

from __future__ import annotations

import argparse
import base64
import concurrent.futures
import functools
import json
import os
import pathlib
import shlex
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tqdm
from scipy import ndimage

from keras3dgan import codec, data, presets, recipes
from keras3dgan.codec import archive
from keras3dgan.codec.goals import Goal, Point, share
from keras3dgan.codec.latent.latent_codec import LatentCodec
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.codec.octree.octree_codec import OctreeCodec, points
from keras3dgan.codec.octree.search import Way
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.provenance import write_result
from keras3dgan.report import figures
from keras3dgan.voxels.grid import iou, pack, unpack
from keras3dgan.voxels.shape_set import ShapeSet

# Quantisation steps of latents, in multiples of the coarsest that costs nearly nothing.
FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0)
COMPONENTS = (50, 200)
_RESIDUAL = "autoencoder from PCA"
SUBSETS = {"all": None, "chair": "chair"}
# Of each subset, by the codec's name.
Curves = dict[str, dict[str, list[dict[str, Any]]]]


def measure(points: Sequence[Point], shapes: ShapeSet, used: ShapeCodec, seen: np.ndarray) -> dict[str, Any]:
    """Mean bytes in an archive and IoU, over all shapes and over those that training has not seen."""
    size, scores = _archived(points, shapes, used)
    size_new, scores_new = size, scores
    if seen.any():
        new = np.flatnonzero(~seen)
        size_new, scores_new = _archived([points[row] for row in new], shapes.take(new), used)
        np.testing.assert_allclose(scores_new, scores[new], atol=1e-6)
    result = {"bytes": size, "iou": scores.mean(), "bytes_unseen": size_new, "iou_unseen": scores_new.mean()}
    return {name: round(float(value), 4) for name, value in result.items()}


def _archived(points: Sequence[Point], shapes: ShapeSet, used: ShapeCodec) -> tuple[float, np.ndarray]:
    """Mean bytes of one archive of all points, without names, and the IoU of what it restores with each shape."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "all.g3a"
        with archive.create(path, used) as writer:
            for point in points:
                writer.add("", point)
        found = archive.Archive(path)
        scores = [iou(shapes.grids(np.array(rows)), found.read_block(i, used)) for i, rows in enumerate(found.blocks)]
        return path.stat().st_size / len(points), np.concatenate(scores)


def voxels(grids: np.ndarray) -> dict[str, float]:
    """Mean occupied voxels of grids (count, n, n, n), and mean of those that have an empty one beside a face of theirs."""
    surface = [np.count_nonzero(grid & ~ndimage.binary_erosion(grid)) for grid in grids.astype(bool)]
    return {"occupied": round(float(grids.sum(axis=(1, 2, 3)).mean()), 2), "surface": round(float(np.mean(surface)), 2)}


def _chunks(count: int) -> list[np.ndarray]:
    return np.array_split(np.arange(count), -(-count // 100)) if count else []


def _ways(model: bytes, grid: np.ndarray) -> list[Way]:
    return search.ways(_model(model), grid)


@functools.cache
def _model(content: bytes) -> OctreeModel:
    return OctreeModel.from_bytes(content)


def load_octree(name: str) -> OctreeCodec:
    """The octree model of this name or path."""
    found = codec.load(name)
    if not isinstance(found, OctreeCodec):
        raise SystemExit(f"{name} is no octree model; name one, or a run of train_octree.")
    return found


def octree_ways(model: OctreeModel, shapes: ShapeSet, cache: pathlib.Path) -> list[list[Way]]:
    """For each shape the ways to send it; made in as many processes as there are cores."""
    path = cache / f"ways-{model.fingerprint.hex()[:12]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text().splitlines() if path.exists() else []
    left = range(len(lines), len(shapes))
    work = functools.partial(_ways, model.to_bytes())
    with open(path, "a") as file, concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for found in tqdm.tqdm(pool.map(work, (shapes.grids(row) for row in left)), total=len(left), desc="ways"):
            file.write(json.dumps([(_packed(way.grid), *way[1:]) for way in found]) + "\n")
            file.flush()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        [Way(_unpacked(grid, model.resolution), Start(*start), cost, score) for grid, start, cost, score in row]
        for row in rows
    ]


def _packed(grid: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(pack(grid[None]).tobytes())).decode()


def _unpacked(text: str, resolution: int) -> np.ndarray:
    return unpack(np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8), resolution)


def octree_curve(
    used: OctreeCodec,
    ways: list[list[Way]],
    shapes: ShapeSet,
    rows: np.ndarray,
    seen: np.ndarray,
    rates: Sequence[int],
) -> list[dict[str, Any]]:
    """The octree model at these mean bytes, and without loss, for some of the shapes, `seen` of which are told."""
    part = shapes.take(rows)
    choices = [points(ways[row], archived=True) for row in rows]
    # Of the archive's header, index and footer, as its last block, which may not be whole, it takes no more.
    fixed = 64 / len(rows)
    curve = []
    for rate in rates:
        chosen = share(choices, (rate - fixed) * len(rows))
        curve.append({"rate": rate, **measure(chosen, part, used, seen)})
        assert curve[-1]["bytes"] <= rate
    curve.append({"rate": "lossless", **measure(used.choose(part.grids(), archived=True), part, used, seen)})
    assert curve[-1]["iou"] == 1
    return curve


def latent_curve(used: LatentCodec, shapes: ShapeSet, seen: np.ndarray) -> list[dict[str, Any]]:
    """A model with latents at each quantisation step, and with float32 latents."""
    latents = np.concatenate([used.analyse(shapes.grids(rows)) for rows in _chunks(len(shapes))])
    scores = np.concatenate([iou(shapes.grids(rows), used.synthesise(latents[rows])) for rows in _chunks(len(shapes))])
    size = 4.0 * latents.shape[1]
    curve = []
    for number, coder in enumerate(used.coders):
        chosen = [Point((number, payload), 0.0, 0.0) for payload in coder.encode(coder.quantize(latents))]
        curve.append({"rate": f"step {coder.step:.4g}", **measure(chosen, shapes, used, seen)})
    whole = {
        "bytes": size,
        "iou": float(scores.mean()),
        "bytes_unseen": size,
        "iou_unseen": float(scores[~seen].mean()),
    }
    return [*curve, {"rate": "float32 latents", **{name: round(value, 4) for name, value in whole.items()}}]


def envelope(curves: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Those points of several curves that are better than all as small."""
    best: list[dict[str, Any]] = []
    for row in sorted((row for curve in curves for row in curve), key=lambda row: (row["bytes"], -row["iou"])):
        if not best or row["iou"] > best[-1]["iou"]:
            best.append(row)
    return best


def baselines_curves(train: ShapeSet, shapes: ShapeSet, seen: np.ndarray) -> dict[str, list[dict[str, Any]]]:
    """General compressors, Draco and coarser grids."""
    import baselines

    grids = shapes.grids()

    def row(rate: str, sizes: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
        found = {"bytes": sizes.mean(), "iou": scores.mean()}
        found |= {"bytes_unseen": sizes[~seen].mean(), "iou_unseen": scores[~seen].mean()}
        return {"rate": rate, **{name: round(float(value), 4) for name, value in found.items()}}

    curves = {}
    for name, how in baselines.lossless(train.packed).items():
        streams = [how.encode(grid) for grid in grids]
        assert all(np.array_equal(how.decode(s), g) for s, g in zip(streams, grids, strict=True)), name
        curves[name] = [row("lossless", np.array([len(stream) for stream in streams]), np.ones(len(grids)))]
    curves["coarser grid, deflated"] = [
        row(
            f"{size}^3",
            np.array([baselines.coarser_bytes(grid, size) for grid in grids]),
            iou(grids, np.stack([baselines.coarser(grid, size) for grid in grids])),
        )
        for size in (4, 8, 16)
    ]
    return curves


def read_codecs(
    runs: Sequence[str], train: ShapeSet, validation: ShapeSet, latent_steps: int
) -> dict[str, LatentCodec]:
    """Models with latents by what to call them, each with a coder for every step, and with steps on the latents again."""
    from keras3dgan.codec.latent.fitting import fit_coders
    from keras3dgan.models.fingerprint import fingerprint

    found: dict[str, LatentCodec] = {}
    for run in runs:
        model = recipes.load_codec(run)
        ways = (model.analyse, model.synthesise)
        model.coders = fit_coders(*ways, train, validation, fingerprint(model.decoder), model.coder.step, FACTORS)
        kind = "report's model" if presets.get(run).settings.get("network", "plain") == "plain" else _RESIDUAL
        name = f"{kind}, {pathlib.Path(run).name.replace('_', ' ')}"
        found[name] = model
        if latent_steps:
            slow = recipes.load_codec(run, Goal(latent_steps=latent_steps))
            slow.coders = model.coders
            found[f"{name}, {latent_steps} steps on the latents"] = slow
    return found


def main() -> None:
    """Measures everything and writes the JSON file and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the .npz file of ModelNet10, or another data set with chairs")
    parser.add_argument("--rates", default="4,6,8,10,15,20", help="mean bytes of octree models, by comma")
    parser.add_argument(
        "--model", default=codec.DEFAULT, help="octree model: a name, an .npz, or a run of train_octree"
    )
    parser.add_argument("--knowing", help="another octree model to compare, that carries the training shapes")
    parser.add_argument("--runs", default="", help="runs or presets of all ten classes, by comma")
    parser.add_argument(
        "--latent_steps", type=int, default=0, help="measure them with so many steps on the latents too"
    )
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--picture", required=True, help="PNG file to write")
    parser.add_argument("--cache", default="runs/rate_distortion", help="folder for what takes long")
    parser.add_argument(
        "--keep", help="an earlier output, of which all other curves are taken: only --runs are measured"
    )
    arguments = parser.parse_args()
    begin = time.perf_counter()
    named = {"this codec": arguments.model, "this codec, knowing the training shapes": arguments.knowing}
    octrees = {title: load_octree(name) for title, name in named.items() if name}
    resolution = octrees["this codec"].resolution
    splits = ("train", "validation", "test")
    train, validation, test = (data.load(arguments.data, split, (), resolution) for split in splits)
    known = {row.tobytes() for row in np.concatenate([train.packed, validation.packed])}
    seen = np.array([row.tobytes() in known for row in test.packed])
    parts = {}
    for title, name in SUBSETS.items():
        rows = np.flatnonzero(test.labels == test.class_names.index(name)) if name else np.arange(len(test))
        parts[title] = (rows, test.take(rows), seen[rows])
    runs = [run for run in arguments.runs.split(",") if run]
    latents = read_codecs(runs, train, validation, arguments.latent_steps)
    curves = {
        title: {name: latent_curve(model, part, new) for name, model in latents.items()}
        for title, (_, part, new) in parts.items()
    }
    if arguments.keep:
        others, content = _kept(pathlib.Path(arguments.keep))
    else:
        others, content = _others(arguments, octrees, train, validation, test, parts)
    subsets = {
        title: {
            "shapes": len(rows),
            "seen_in_training": int(new.sum()),
            "voxels": voxels(part.grids()),
            "curves": _in_order({**others[title], **curves[title]}),
        }
        for title, (rows, part, new) in parts.items()
    }
    trainings = {**content.pop("trainings", {}), **{run: presets.get(run).outcome() for run in runs}}
    seconds = round(time.perf_counter() - begin, 1)
    measured = {"rate_distortion": subsets, "split": "test", **content, "trainings": trainings, "seconds": seconds}
    write_result(arguments.output, shlex.join(sys.argv), measured)
    draw(subsets, arguments.picture)
    print(f"wrote {arguments.output} and {arguments.picture}")


def _in_order(curves: dict[str, Any]) -> dict[str, Any]:
    """This codec, models with latents, then all else."""
    firsts = ("this codec", _RESIDUAL, "report's model")
    rank = {name: [name.startswith(first) for first in (*firsts, "")].index(True) for name in curves}
    return {name: curves[name] for name in sorted(curves, key=rank.__getitem__)}


def _kept(path: pathlib.Path) -> tuple[Curves, dict[str, Any]]:
    """The curves of an earlier output, and what else it says."""
    earlier = json.loads(path.read_text())
    curves = {title: subset["curves"] for title, subset in earlier["rate_distortion"].items()}
    content = {name: earlier[name] for name in ("model", "model_bytes", "trainings")}
    of = {name: earlier[name] for name in ("command", "date", "commit", "seconds")}
    return curves, {**content, "other_curves": earlier.get("other_curves", of)}


def _others(
    arguments: argparse.Namespace,
    octrees: dict[str, OctreeCodec],
    train: ShapeSet,
    validation: ShapeSet,
    test: ShapeSet,
    parts: dict[str, Any],
) -> tuple[Curves, dict[str, Any]]:
    """Everything but the report's models: octree models, PCA, general compressors."""
    from keras3dgan.evaluation.pca import PCACodec

    cache = pathlib.Path(arguments.cache)
    ways = {title: octree_ways(model.octree, test, cache) for title, model in octrees.items()}
    rates = [int(rate) for rate in arguments.rates.split(",")]
    linear = [PCACodec(train, validation, count, factors=FACTORS) for count in COMPONENTS]
    curves = {}
    for title, (rows, part, new) in parts.items():
        curves[title] = {
            **{name: octree_curve(model, ways[name], test, rows, new, rates) for name, model in octrees.items()},
            "PCA, quantised": envelope([latent_curve(model, part, new)[:-1] for model in linear]),
            **baselines_curves(train, part, new),
        }
    used = octrees["this codec"]
    return curves, {"model": used.fingerprint.hex()[:12], "model_bytes": len(used.octree.to_bytes())}


def draw(subsets: dict[str, Any], picture: str) -> None:
    """The figure: a panel for each set of shapes."""
    lines = {
        f"{title}, {subset['shapes']} shapes": {
            name: [(row["bytes"], row["iou"]) for row in curve] for name, curve in subset["curves"].items()
        }
        for title, subset in subsets.items()
    }
    figures.save(figures.rate_distortion(lines), picture)


if __name__ == "__main__":
    main()
