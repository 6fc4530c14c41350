"""glTF 2.0, `.gltf` and `.glb`: the default scene as it stands, skins, morphs and instances included."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import MAX_FACES, MAX_VERTICES, Surface, gltf_primitive
from keras3dgan.voxels.readers.gltf_data import Data, document

_DRACO = "KHR_draco_mesh_compression"
_INSTANCES = "EXT_mesh_gpu_instancing"
_READ = {_DRACO, _INSTANCES, "KHR_mesh_quantization", "KHR_node_visibility"}
# They colour, light or describe; the surface is the same without them.
_NO_SURFACE = (
    "KHR_materials_", "EXT_materials_", "KHR_texture_", "EXT_texture_", "MSFT_texture_", "KHR_lights_", "EXT_lights_",
    "KHR_xmp", "KHR_animation_pointer", "EXT_structural_metadata", "EXT_mesh_features", "EXT_mesh_manifold", "MSFT_lod",
    "MSFT_packing_", "KHR_techniques_webgl", "AGI_", "FB_", "GOOGLE_", "ADOBE_",
)  # fmt: skip
# A program that draws a scene handles fewer.
_MAX_NODES = 100_000


def read(content: bytes, path: pathlib.Path) -> Surface:
    """Vertices and triangles of a glTF file's default scene (the first one, or all nodes, where it names none).

    Read are triangles, strips and fans; matrices and translations, rotations and scales; sparse, strided, normalised and
    quantised accessors; Draco; the pose of skins; morph targets with their weights; GPU instances; visibility.

    Raises:
        InputError: see `keras3dgan.voxels.readers`; also an extension that is required and not read.
    """
    root, binary = document(content, path)
    try:
        unknown = [name for name in root.get("extensionsRequired", []) if name not in _READ]
        unknown = [name for name in unknown if not name.startswith(_NO_SURFACE) and "meshopt" not in name]
        if unknown:
            raise InputError(f"{path}: needs the extension {unknown[0]:.60}, which is not read; export it without.")
        return _scene(Data(root, binary, path))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: its JSON lacks or misuses {error!s:.60}; export it again.") from error


def _scene(data: Data) -> Surface:
    placed = list(_placed_nodes(data))
    matrices = dict(placed)
    vertices, faces = [], []
    count, triangles, skipped, rounding = 0, 0, 0, 0.0
    for index, matrix in placed:
        node = data.item("nodes", index)
        if "mesh" not in node:
            continue
        instances = _instances(data, node)
        for primitive in data.item("meshes", node["mesh"])["primitives"]:
            corners = gltf_primitive.faces(data, primitive)
            if corners is None:
                skipped += 1
                continue
            points = gltf_primitive.positions(data, node, primitive)
            if "skin" in node:
                points, placing = gltf_primitive.skinned(data, node["skin"], primitive, points, matrices), [np.eye(4)]
            else:
                placing = [matrix @ instance for instance in instances]
            rounding = max(rounding, gltf_primitive.rounding(data, primitive))
            triangles += len(corners) * len(placing)
            if triangles > MAX_FACES or count + len(points) * len(placing) > MAX_VERTICES:
                raise InputError(
                    f"{data.path}: its parts and instances add up to over {MAX_FACES} faces or {MAX_VERTICES} vertices; "
                    "simplify it."
                )
            for place in placing:
                vertices.append(points @ place[:3, :3].T + place[:3, 3])
                faces.append(corners + count)
                count += len(points)
    if not faces:
        what = "only points or lines" if skipped else "no mesh in its scene"
        raise InputError(f"{data.path}: has no faces, it holds {what}; export it as a mesh.")
    return Surface(np.concatenate(vertices), np.concatenate(faces), rounding)


def _placed_nodes(data: Data) -> Iterator[tuple[int, np.ndarray]]:
    """The visible nodes of the scene with their matrices to the world, parents first."""
    pending = [(index, np.eye(4)) for index in reversed(_roots(data))]
    seen: set[int] = set()
    while pending:
        index, above = pending.pop()
        node = data.item("nodes", index)
        if index in seen:
            raise InputError(f"{data.path}: node {index} stands twice in its scene; export it again.")
        seen.add(index)
        if len(seen) > _MAX_NODES:
            raise InputError(f"{data.path}: has more than the {_MAX_NODES} nodes that are read; simplify its scene.")
        if node.get("extensions", {}).get("KHR_node_visibility", {}).get("visible", True) is False:
            continue
        moves = any(key in node for key in ("matrix", "translation", "rotation", "scale"))
        matrix = above @ _matrix(node) if moves else above
        yield index, matrix
        pending += [(child, matrix) for child in reversed(node.get("children", []))]


def _roots(data: Data) -> list[int]:
    nodes = data.root.get("nodes", [])
    if data.root.get("scenes"):
        return data.item("scenes", data.root.get("scene", 0)).get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    return [index for index in range(len(nodes)) if index not in children]


def _matrix(node: dict[str, Any]) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T  # stored column by column
    return _composed(
        np.array([node.get("translation", [0.0, 0.0, 0.0])], float),
        np.array([node.get("rotation", [0.0, 0.0, 0.0, 1.0])], float),
        np.array([node.get("scale", [1.0, 1.0, 1.0])], float),
    )[0]


def _composed(translation: np.ndarray, rotation: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Matrices (k, 4, 4) of translations (k, 3), unit quaternions (k, 4) as x, y, z, w, and scales (k, 3)."""
    x, y, z, w = (rotation / np.maximum(np.linalg.norm(rotation, axis=1, keepdims=True), 1e-12)).T
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    matrices = np.tile(np.eye(4), (len(scale), 1, 1))
    matrices[:, :3, :3] = turn * scale[:, None, :]
    matrices[:, :3, 3] = translation
    return matrices


def _instances(data: Data, node: dict[str, Any]) -> list[np.ndarray]:
    """Where a node's mesh stands within the node: once, or as often as `EXT_mesh_gpu_instancing` says."""
    extension = node.get("extensions", {}).get(_INSTANCES)
    if extension is None:
        return [np.eye(4)]
    found = {name: data.accessor(index).astype(float) for name, index in extension["attributes"].items()}
    count = len(next(iter(found.values())))
    if count > MAX_FACES:  # before each gets its matrix
        raise InputError(f"{data.path}: {count} instances are more than the {MAX_FACES} faces allowed; simplify it.")
    return list(
        _composed(
            found.get("TRANSLATION", np.zeros((count, 3))),
            found.get("ROTATION", np.tile([0.0, 0.0, 0.0, 1.0], (count, 1))),
            found.get("SCALE", np.ones((count, 3))),
        )
    )
