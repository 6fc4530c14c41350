"""Measures how well damaged meshes become solid: closed models with faces removed or turned, against the whole model.

    python benchmarks/solids.py --models=FOLDER --output=results/solids.json

`--models` is a folder of `.obj` files; those whose parts all close are used. `before` is what this project did until then:
every voxel is filled that has surface before and behind it along all three axes.
"""

import argparse
import pathlib
import shlex
import sys

import numpy as np
import trimesh

from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels import rasterize
from keras3dgan.voxels.frame import framed
from keras3dgan.voxels.mesh import read_mesh
from keras3dgan.voxels.solid import between
from keras3dgan.voxels.topology import parts
from keras3dgan.voxels.voxelize import default_margin, voxelize

_RESOLUTION = 32
_MODELS = 46
_FACES = (200, 30_000)
# Share of the faces removed one by one, removed around one place, and turned round.
_DAMAGE = [
    (0, 0, 0), (0.01, 0, 0), (0.05, 0, 0), (0.1, 0, 0), (0.2, 0, 0), (0, 0.02, 0), (0, 0.05, 0), (0, 0.1, 0),
    (0, 0, 0.05), (0, 0, 0.2), (0, 0, 0.5), (0.05, 0, 0.05),
]  # fmt: skip


def _framed(mesh: trimesh.Trimesh) -> np.ndarray:
    return framed(mesh.triangles, _RESOLUTION, default_margin(_RESOLUTION), "mesh")[0]


def closed_models(folder: pathlib.Path) -> list[trimesh.Trimesh]:
    """Models whose parts all close, evenly picked from the folder."""
    found = []
    for path in sorted(folder.glob("*.obj")):
        try:
            mesh = read_mesh(path)
        except InputError:
            continue
        if _FACES[0] < len(mesh.faces) < _FACES[1] and parts(_framed(mesh), _RESOLUTION).closed.all():
            found.append(mesh)
    return found[:: max(1, len(found) // _MODELS)][:_MODELS]


def damaged(mesh: trimesh.Trimesh, removed: float, hole: float, turned: float) -> trimesh.Trimesh:
    """The mesh without these shares of its faces, and with this share turned round; the same each time."""
    rng = np.random.default_rng(5)
    faces = mesh.faces.copy()
    chosen = rng.random(len(faces)) < turned
    faces[chosen] = faces[chosen][:, ::-1]
    kept = rng.random(len(faces)) >= removed
    if hole:
        middle = mesh.vertices[faces].mean(axis=1)
        far = np.linalg.norm(middle - middle[rng.integers(len(faces))], axis=1)
        kept &= far > np.quantile(far, hole)
    return trimesh.Trimesh(mesh.vertices, faces[kept], process=False)


def _before(mesh: trimesh.Trimesh) -> np.ndarray:
    shell = np.zeros((_RESOLUTION,) * 3, bool)
    rasterize.mark_entered(_framed(mesh), shell)
    return shell | between(shell)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", required=True, type=pathlib.Path, help="folder of .obj files")
    parser.add_argument("--output", required=True, help="the result, a JSON file")
    arguments = parser.parse_args()
    models = closed_models(arguments.models)
    wanted = np.stack([voxelize(mesh, _RESOLUTION) for mesh in models])
    table = []
    for removed, hole, turned in _DAMAGE:
        broken = [damaged(mesh, removed, hole, turned) for mesh in models]
        before = grids.iou(wanted, np.stack([_before(mesh) for mesh in broken]))
        now = grids.iou(wanted, np.stack([voxelize(mesh, _RESOLUTION) for mesh in broken]))
        table.append({"removed": removed, "hole": hole, "turned": turned, "worse": int((now < before - 0.01).sum())})
        table[-1] |= {"before": round(float(before.mean()), 4), "now": round(float(now.mean()), 4)}
        print(table[-1], flush=True)
    content = {"resolution": _RESOLUTION, "models": len(models), "solids": table}
    write_result(arguments.output, shlex.join(["python", *sys.argv]), content)


if __name__ == "__main__":
    main()
