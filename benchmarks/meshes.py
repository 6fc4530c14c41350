"""Bytes against surface error of meshes: this codec, Draco, meshopt and zstd.

    apt-get download sweethome3d-furniture && dpkg -x sweethome3d-furniture_*.deb unpacked
    npm install gltfpack
    python benchmarks/meshes.py --models=unpacked/usr/share/sweethome3d/furniture --gltfpack=node_modules/.bin/gltfpack \
        --output=results/meshes.json --picture=docs/meshes.png

`--models` is a folder of meshes; or of catalogues: then the furniture's test split is taken, posed as it was voxelised; or, with
--open, of the unpacked packages that `open_shapes_voxels` was prepared from: then the test split of that. Of points that are
spread evenly over each surface, 10,000 on each, the distance to the other surface is measured: the mean and the 95th percentile,
in percent of the diagonal of the original's bounding box. Bytes are those of one file a mesh, with what puts the shape back where
it was. What is measured is kept in --cache, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import pathlib
import shlex
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import igl
import mesh_codecs
import numpy as np
import tqdm
import trimesh

from keras3dgan import codec, data
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.datasets.furniture_voxels import bundled, catalogue
from keras3dgan.datasets.open_shapes_voxels import packages, voxelizing
from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result
from keras3dgan.report import figures
from keras3dgan.voxels import mesh as meshes

_POINTS = 10_000
# Distances, in percent of the diagonal, for which the fewest bytes are sought.
_BUDGETS = {"mean": (2.0, 1.0, 0.5, 0.25), "p95": (4.0, 2.0, 1.0, 0.5)}
_NO_MESHOPT = "gltfpack was not there, so meshopt was not measured; type npm install gltfpack and give --gltfpack."


_Read = Callable[[str], trimesh.Trimesh]


def sources(folder: pathlib.Path, open_shapes: pathlib.Path | None) -> tuple[list[str], _Read]:
    """The names of the meshes to draw from, and what reads one.

    Args:
        folder: --models.
        open_shapes: --open.
    """
    if open_shapes:
        return _of_packages(folder, open_shapes)
    if any(folder.glob("*.sh3f")):
        return sorted(bundled.read("test", 32).ids.tolist()), functools.partial(_of_catalogue, folder)
    files = (path for path in folder.rglob("*") if path.suffix.lower() in meshes.READABLE)
    return sorted(str(path.relative_to(folder)) for path in files), lambda name: meshes.read_mesh(folder / name)


def _of_packages(root: pathlib.Path, prepared: pathlib.Path) -> tuple[list[str], _Read]:
    models = {model.id: model for package, top in packages.installed(root) for model in packages.models(package, top)}
    names = sorted(data.load(str(prepared / "open_32.npz"), "test").ids.tolist())

    def read(name: str) -> trimesh.Trimesh:
        model = models[name]
        return voxelizing.read_upright(model.content(), model.suffix, model.package.axes)

    return names, read


def clean(mesh: trimesh.Trimesh, name: str) -> trimesh.Trimesh:
    """A mesh in float32 coordinates, equal corners welded, as Draco and PLY want it.

    Raises:
        InputError: nothing is left of it.
    """
    mesh = trimesh.Trimesh(mesh.vertices.astype(np.float32), mesh.faces, process=False)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    mesh.update_faces(mesh.nondegenerate_faces() & mesh.unique_faces())
    mesh.remove_unreferenced_vertices()
    if not len(mesh.faces):
        raise InputError(f"{name}: none of its faces has an area.")
    return mesh


def _of_catalogue(folder: pathlib.Path, name: str) -> trimesh.Trimesh:
    which = name.split("/", 1)[0]
    with zipfile.ZipFile(folder / f"{which}.sh3f") as archive, tempfile.TemporaryDirectory() as place:
        entry = next(entry for entry in catalogue.read(archive, which) if entry.id == name)
        path = pathlib.Path(place) / "model.obj"
        path.write_bytes(archive.read(entry.model))
        mesh = meshes.read_mesh(path, up="z")
    return mesh.apply_transform(entry.pose(mesh.vertices[np.unique(mesh.faces)]))


def distances(original: trimesh.Trimesh, restored: trimesh.Trimesh) -> dict[str, float]:
    """Between the surfaces, in percent of the original's diagonal: `mean` and `p95` of both ways, and each way's mean."""
    there, back = (_one_way(*pair) / original.scale * 100 for pair in ((original, restored), (restored, original)))
    found = {"mean": (there.mean() + back.mean()) / 2, "p95": np.percentile(np.concatenate([there, back]), 95)}
    found |= {"of_original": there.mean(), "of_restored": back.mean()}
    return {name: round(float(value), 5) for name, value in found.items()}


def _one_way(of: trimesh.Trimesh, to: trimesh.Trimesh) -> np.ndarray:
    points, _ = trimesh.sample.sample_surface(of, _POINTS, seed=0)
    squared, _, _ = igl.point_mesh_squared_distance(
        np.asarray(points, np.float64), np.asarray(to.vertices, np.float64), np.asarray(to.faces, np.int64)
    )
    return np.sqrt(np.maximum(squared, 0))


def measure(
    read: _Read, names: Sequence[str], codecs: Sequence[OctreeCodec], gltfpack: str | None, cache: pathlib.Path
) -> list[dict[str, Any]]:
    """For each mesh its faces and one row for each setting, or why it could not be read."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    lines = cache.read_text().splitlines() if cache.exists() else []
    done = {row["name"]: row for row in map(json.loads, lines)}
    with open(cache, "a") as file:
        for name in tqdm.tqdm([name for name in names if name not in done], desc="meshes"):
            done[name] = {"name": name, **_measure_one(read, name, codecs, gltfpack)}
            file.write(json.dumps(done[name]) + "\n")
            file.flush()
    return [done[name] for name in names]


def _measure_one(read: _Read, name: str, codecs: Sequence[OctreeCodec], gltfpack: str | None) -> dict[str, Any]:
    begin = time.perf_counter()
    try:
        mesh = clean(read(name), name)
    except InputError as error:
        return {"error": str(error)}
    rows = [
        {"codec": coded.codec, "setting": coded.setting, "bytes": coded.bytes, **distances(mesh, coded.mesh)}
        for coded in mesh_codecs.all_ways(mesh, codecs, gltfpack)
    ]
    return {"faces": len(mesh.faces), "seconds": round(time.perf_counter() - begin, 1), "rows": rows}


def means(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each setting: means over meshes, and the median of bytes; as it is where a mesh has fewer faces already."""
    known = [{(row["codec"], row["setting"]): row for row in mesh["rows"]} for mesh in found]
    table = []
    for name, setting in dict.fromkeys(key for each in known for key in each):
        bits = setting.partition(" faces")[2]
        rows = [
            row
            for each in known
            if (row := each.get((name, setting), each.get((name, f"{mesh_codecs.AS_IT_IS}{bits}"))))
        ]
        sizes = [row["bytes"] for row in rows]
        line = {"bytes": float(np.mean(sizes)), "median_bytes": float(np.median(sizes))}
        line |= {
            name: float(np.mean([row[name] for row in rows])) for name in ("mean", "p95", "of_original", "of_restored")
        }
        rounded = {key: round(value, 4) for key, value in line.items()}
        table.append({"codec": name, "setting": setting, "meshes": len(rows), **rounded})
    return table


def budgets(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fewest bytes for which each codec keeps to a distance.

    Of each codec: `reached`, the share of meshes for which it has a setting that does; `median_bytes` over these; `fewest`, the
    share of all meshes for which no other codec takes fewer. This codec at all resolutions is one.
    """
    families = dict.fromkeys(row["codec"].split(",")[0] for mesh in found for row in mesh["rows"])
    result = []
    for measured, limits in _BUDGETS.items():
        for limit in limits:
            fewest = [_fewest(mesh["rows"], measured, limit) for mesh in found]
            codecs = {}
            for family in families:
                sizes = [each[family] for each in fewest if family in each]
                wins = sum(family in each and each[family] == min(each.values()) for each in fewest)
                codecs[family] = {"reached": round(len(sizes) / len(found), 3), "fewest": round(wins / len(found), 3)}
                if sizes:
                    codecs[family]["median_bytes"] = float(np.median(sizes))
            result.append({"measured": measured, "limit": limit, "codecs": codecs})
    return result


def _fewest(rows: Sequence[dict[str, Any]], measured: str, limit: float) -> dict[str, int]:
    best: dict[str, int] = {}
    for row in rows:
        family = row["codec"].split(",")[0]
        if row[measured] <= limit:
            best[family] = min(row["bytes"], best.get(family, row["bytes"]))
    return best


def _cache(folder: pathlib.Path, codecs: Sequence[OctreeCodec], version: str | None) -> pathlib.Path:
    """The file of what has been measured in the same way."""
    settings = (mesh_codecs.FACES, mesh_codecs.DRACO_BITS, mesh_codecs.MESHOPT_BITS, mesh_codecs.BYTES)
    how = [version, _POINTS, *settings, *(used.fingerprint.hex() for used in codecs)]
    return folder / f"{hashlib.sha256(json.dumps(how).encode()).hexdigest()[:12]}.jsonl"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", required=True, type=pathlib.Path, help="folder of meshes, of .sh3f catalogues, or of packages"
    )
    parser.add_argument(
        "--open", type=pathlib.Path, help="the folder that open_shapes_voxels' prepare wrote of --models"
    )
    parser.add_argument("--sample", type=int, default=16, help="meshes to measure, drawn at random")
    parser.add_argument("--codecs", default="octree32,octree64", help="octree models, by comma")
    parser.add_argument("--gltfpack", default=shutil.which("gltfpack"), help="the program [where PATH has it]")
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--picture", required=True, help="PNG file to write")
    parser.add_argument("--cache", default="runs/meshes", type=pathlib.Path, help="folder for what has been measured")
    return parser.parse_args()


def main() -> None:
    """Measures and writes the JSON file and the picture."""
    arguments = _arguments()
    codecs = [codec.load(name) for name in arguments.codecs.split(",")]
    version = mesh_codecs.gltfpack_version(arguments.gltfpack)
    names, read = sources(arguments.models, arguments.open)
    chosen = [names[row] for row in np.random.default_rng(0).permutation(len(names))[: arguments.sample]]
    cache = _cache(arguments.cache, codecs, version)
    found = measure(read, chosen, codecs, arguments.gltfpack if version else None, cache)
    good, bad = ([mesh for mesh in found if ("error" in mesh) == failed] for failed in (False, True))
    if not good:
        raise SystemExit(f"{arguments.models}: holds no mesh that can be read.")
    table = means(good)
    content = {
        "surface_error": table,
        "budgets": budgets(good),
        "meshes": len(good),
        "of": len(names),
        "unreadable": [mesh["error"] for mesh in bad],
        "median_faces": float(np.median([mesh["faces"] for mesh in good])),
        "points": _POINTS,
        "meshopt": version or _NO_MESHOPT,
        "seconds": round(sum(mesh["seconds"] for mesh in good), 1),
    }
    write_result(arguments.output, shlex.join(sys.argv), content)
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in table:
        curves.setdefault(row["codec"], []).append((row["median_bytes"], row["mean"]))
    figures.save(figures.surface_error(curves), arguments.picture)
    print(f"wrote {arguments.output} and {arguments.picture}")


if __name__ == "__main__":
    main()
