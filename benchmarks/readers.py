"""Measures readers of mesh files: what each makes of a folder of cases, how fast it reads, and how large it is installed.

    pip install . vtk pymeshlab meshio pygltflib assimp-py impasse     # impasse wants Debian's libassimp5 too
    python benchmarks/readers.py --cases=FOLDER --models=FOLDER --output=results/readers.json

A folder of cases has subfolders with `right.*` and the same shape written in other ways; `expected.tsv` names the files for
which another outcome is wanted (`refuse`, or `either` right or refused). `--models` is a folder of `.obj` files to be timed
on. Each file is read in a process of its own, because some readers crash.
"""

import argparse
import csv
import importlib.metadata
import io
import logging
import multiprocessing
import os
import pathlib
import shlex
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import trimesh

from keras3dgan.voxels import mesh as meshes
from keras3dgan.voxels.readers import text
from keras3dgan.voxels.voxelize import voxelize

_RESOLUTION = 32
_SAME = 0.97
_SECONDS = 60
Mesh = trimesh.Trimesh


def _mesh(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    return trimesh.Trimesh(np.asarray(vertices), np.asarray(faces).astype(np.int64), process=False)


def _own(path: pathlib.Path) -> Mesh:
    return meshes.read_mesh(path, up="z")


def _trimesh(path: pathlib.Path) -> Mesh:
    return trimesh.load_mesh(path, process=False, skip_materials=True)


def _trimesh_filled(path: pathlib.Path) -> Mesh:
    """trimesh behind what can be done before it: encodings, line ends, white space, comments, upper case."""
    content = path.read_bytes()
    if path.suffix in (".obj", ".off", ".gltf"):
        content = text.normalised(content).replace(b"\t", b" ")
    if path.suffix == ".obj":
        lines = [b" ".join(line.split(b"#")[0].split()) for line in content.replace(b"\\\n", b" ").split(b"\n")]
        content = b"\n".join(line[:1].lower() + line[1:].removeprefix(b"o") for line in lines)
    return trimesh.load_mesh(
        io.BytesIO(content), file_type=path.suffix[1:], process=False, skip_materials=True,
        resolver=trimesh.resolvers.FilePathResolver(path.parent),
    )  # fmt: skip


def _vtk(path: pathlib.Path) -> Mesh:
    import vtkmodules.all as vtk
    from vtkmodules.util.numpy_support import vtk_to_numpy

    kinds = {".obj": vtk.vtkOBJReader, ".stl": vtk.vtkSTLReader, ".ply": vtk.vtkPLYReader, ".off": vtk.vtkOFFReader}
    reader = kinds.get(path.suffix, vtk.vtkGLTFReader)()
    reader.SetFileName(str(path))
    if path.suffix not in kinds:
        flat = vtk.vtkCompositeDataGeometryFilter()
        flat.SetInputConnection(reader.GetOutputPort())
        reader = flat
    triangles = vtk.vtkTriangleFilter()
    triangles.PassLinesOff()
    triangles.PassVertsOff()
    triangles.SetInputConnection(reader.GetOutputPort())
    triangles.Update()
    found = triangles.GetOutput()
    faces = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return _mesh(vtk_to_numpy(found.GetPoints().GetData()), faces)


def _pymeshlab(path: pathlib.Path) -> Mesh:
    import pymeshlab

    meshes_of_file = pymeshlab.MeshSet(verbose=False)
    meshes_of_file.load_new_mesh(str(path))
    if len(meshes_of_file) > 1:
        meshes_of_file.apply_filter("generate_by_merging_visible_meshes")
    mesh = meshes_of_file.current_mesh()
    return _mesh(mesh.vertex_matrix(), mesh.face_matrix())


def _meshio(path: pathlib.Path) -> Mesh:
    import meshio

    mesh = meshio.read(path)
    cells = [np.asarray(block.data) for block in mesh.cells if block.type.startswith(("triangle", "quad", "polygon"))]
    fans = [rows[:, [0, step, step + 1]] for rows in cells for step in range(1, rows.shape[1] - 1)]
    return _mesh(mesh.points, np.concatenate(fans))


def _assimp_py(path: pathlib.Path) -> Mesh:
    import assimp_py

    scene = assimp_py.import_file(str(path), assimp_py.Process_Triangulate)
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []

    def walk(node: Any, above: np.ndarray) -> None:
        matrix = above @ np.array(node.transformation, float).reshape(4, 4)
        for index in node.mesh_indices:
            part = scene.meshes[index]
            points = np.array(part.vertices, float).reshape(-1, 3)
            faces.append(np.array(part.indices).reshape(-1, 3) + sum(map(len, vertices)))
            vertices.append(points @ matrix[:3, :3].T + matrix[:3, 3])
        for child in node.children:
            walk(child, matrix)

    walk(scene.root_node, np.eye(4))
    return _mesh(np.concatenate(vertices), np.concatenate(faces))


def _impasse(path: pathlib.Path) -> Mesh:
    import impasse
    from impasse.constants import ProcessingStep

    scene = impasse.load(str(path), processing=ProcessingStep.Triangulate | ProcessingStep.PreTransformVertices)
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    for part in scene.meshes:
        corners = np.array([face for face in part.faces if len(face) == 3], int).reshape(-1, 3)
        faces.append(corners + sum(map(len, vertices)))
        vertices.append(np.array(part.vertices, float))
    return _mesh(np.concatenate(vertices), np.concatenate(faces))


def _pygltflib(path: pathlib.Path) -> Mesh:
    """Positions and indices as the library hands them out; what it leaves to its user is left out here too."""
    import pygltflib

    if path.suffix not in (".glb", ".gltf"):
        raise ValueError("another format")
    file = pygltflib.GLTF2().load(str(path))
    kinds = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}

    def values(index: int) -> np.ndarray:
        accessor = file.accessors[index]
        view = file.bufferViews[accessor.bufferView]
        buffer = file.buffers[view.buffer]
        data = file.get_data_from_buffer_uri(buffer.uri) if buffer.uri else file.binary_blob()
        kind, width = np.dtype(kinds[accessor.componentType]), {"SCALAR": 1, "VEC3": 3}[accessor.type]
        start = (view.byteOffset or 0) + (accessor.byteOffset or 0)
        return np.frombuffer(data, kind, accessor.count * width, start).reshape(-1, width)

    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    for node in file.nodes:
        for primitive in file.meshes[node.mesh].primitives if node.mesh is not None else []:
            faces.append(values(primitive.indices).astype(int).reshape(-1, 3) + sum(map(len, vertices)))
            vertices.append(values(primitive.attributes.POSITION).astype(float) + (node.translation or 0))
    return _mesh(np.concatenate(vertices), np.concatenate(faces))


# Reader, and the packages whose installed size counts.
READERS: dict[str, tuple[Callable[[pathlib.Path], Mesh], tuple[str, ...]]] = {
    "keras3dgan": (_own, ("mapbox_earcut", "dracopy")),
    "trimesh": (_trimesh, ("trimesh",)),
    "trimesh with its gaps filled": (_trimesh_filled, ("trimesh", "dracopy")),
    "assimp-py": (_assimp_py, ("assimp-py",)),
    "impasse": (_impasse, ("impasse",)),
    "VTK": (_vtk, ("vtk",)),
    "pymeshlab": (_pymeshlab, ("pymeshlab",)),
    "meshio": (_meshio, ("meshio",)),
    "pygltflib": (_pygltflib, ("pygltflib",)),
}


def _grid(read: Callable[[pathlib.Path], Mesh], path: pathlib.Path, sender: Any) -> None:
    """In a process of its own: sends the packed grid, or nothing where the reader refuses."""
    logging.disable(logging.CRITICAL)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    try:
        mesh = read(path)
        if path.suffix in meshes.Y_UP:
            mesh.apply_transform(meshes.Y_UP_TO_Z_UP)
        sender.send_bytes(np.packbits(voxelize(mesh, _RESOLUTION)).tobytes())
    except BaseException:  # whatever a reader raises is a refusal; some derive from the base
        sender.send_bytes(b"refused")


def _outcome(read: Callable[[pathlib.Path], Mesh], path: pathlib.Path) -> np.ndarray | str:
    """The grid, or `refused`, or `crashed`."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_grid, args=(read, path, sender))
    process.start()
    sender.close()
    try:
        content = receiver.recv_bytes() if receiver.poll(_SECONDS) else b""
    except EOFError:
        content = b""
    process.kill()
    process.join()
    if len(content) * 8 != _RESOLUTION**3:
        return content.decode() or "crashed"
    return np.unpackbits(np.frombuffer(content, np.uint8)).astype(bool)


def _cases(root: pathlib.Path) -> list[tuple[pathlib.Path, pathlib.Path, str]]:
    """File, the file with the right shape, and what is wanted (`right`, `refuse`, `either`)."""
    with open(root / "expected.tsv", newline="") as file:
        wanted = {row[0]: row[1] for row in csv.reader(file, delimiter="\t") if row and not row[0].startswith("#")}
    found = []
    for right in sorted(root.glob("*/right.*")):
        for path in sorted(right.parent.iterdir()):
            if path.suffix.lower() in meshes.READABLE and path != right:
                found.append((path, right, wanted.get(f"{path.parent.name}/{path.name}", "right")))
    return found


def measure_cases(read: Callable[[pathlib.Path], Mesh], root: pathlib.Path) -> dict[str, Any]:
    """Per format: how many files end as wanted, are refused though they should not be, give another shape, or crash."""
    rights: dict[pathlib.Path, np.ndarray | str] = {}
    table: dict[str, dict[str, int]] = {}
    short: list[str] = []
    for path, right, wanted in _cases(root):
        if right not in rights:
            rights[right] = _outcome(_own, right)
        got, shape = _outcome(read, path), rights[right]
        if isinstance(got, str):
            state = "as wanted" if got == "refused" and wanted != "right" else got
        else:
            same = not isinstance(shape, str) and (got & shape).sum() > _SAME * (got | shape).sum()
            state = "as wanted" if same and wanted != "refuse" else "another shape"
        row = table.setdefault(path.suffix.replace("gltf", "glb"), {})
        row[state] = row.get(state, 0) + 1
        if state != "as wanted":
            short.append(f"{path.parent.name}/{path.name}: {state}")
    return {"formats": table, "falls short": short}


def measure_speed(read: Callable[[pathlib.Path], Mesh], paths: list[pathlib.Path]) -> dict[str, float]:
    """Meshes a second of one core's time, read only, and read and voxelised; the first mesh is read once before."""
    read(paths[0])
    reading = voxelising = 0.0
    for path in paths:
        start = time.process_time()
        mesh = read(path)
        reading += time.process_time() - start
        start = time.process_time()
        voxelize(mesh, 64)
        voxelising += time.process_time() - start
    count = len(paths)
    return {
        "read_per_s": round(count / reading, 1),
        "read_and_voxelised_per_s": round(count / (reading + voxelising), 1),
    }


def _installed_mb(packages: tuple[str, ...]) -> float:
    files = [file for name in packages for file in importlib.metadata.files(name) or []]
    return round(sum(path.stat().st_size for file in files if (path := pathlib.Path(file.locate())).is_file()) / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", required=True, type=pathlib.Path, help="folder of cases")
    parser.add_argument(
        "--models", required=True, type=pathlib.Path, help="folder of .obj files, every eighth is timed"
    )
    parser.add_argument("--output", required=True, help="the result, a JSON file")
    arguments = parser.parse_args()
    paths = sorted(arguments.models.glob("*.obj"))[::8]
    voxelize(trimesh.creation.box(), _RESOLUTION)  # compiled here, once, and not in each process
    readers = {}
    for name, (read, packages) in READERS.items():
        try:
            size = _installed_mb(packages)
        except importlib.metadata.PackageNotFoundError as error:
            print(f"{name}: {error.name} is not installed")
            continue
        readers[name] = {"installed_mb": size, **measure_cases(read, arguments.cases)}
        if name in ("keras3dgan", "trimesh"):
            readers[name] |= measure_speed(read, paths)
        print(name, readers[name])
    from keras3dgan.provenance import write_result  # here: TensorFlow would be copied into each process

    command = shlex.join(["python", *sys.argv])
    write_result(arguments.output, command, {"models": len(paths), "readers": readers})


if __name__ == "__main__":
    main()
