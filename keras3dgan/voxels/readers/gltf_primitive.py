"""One primitive of a glTF mesh: its triangles, and its positions after Draco, morph targets and skin."""

from typing import Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import strips
from keras3dgan.voxels.readers.gltf_data import Data

_DRACO = "KHR_draco_mesh_compression"
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_FLOAT = 5126
_LARGEST = {5120: 127, 5121: 255, 5122: 32767, 5123: 65535, 5125: 4294967295}
# Half a step of the 11 bits that encoders use by default; the bits themselves are not told by the decoder.
_DRACO_ROUNDING = 2.0**-12


def faces(data: Data, primitive: dict[str, Any]) -> np.ndarray | None:
    """The triangles, int64 (m, 3), or None where the primitive is made of points or lines.

    Raises:
        InputError: a corner names a vertex that does not exist, or the count makes no triangles.
    """
    mode = primitive.get("mode", _TRIANGLES)
    if mode not in (_TRIANGLES, _STRIP, _FAN):
        return None
    if _DRACO in primitive.get("extensions", {}):
        mesh = _draco(data, primitive)
        corners, mode, count = mesh.faces.astype(np.int64).reshape(-1), _TRIANGLES, len(mesh.points)
    else:
        count = len(data.accessor(primitive["attributes"]["POSITION"]))
        named = data.accessor(primitive["indices"])[:, 0] if "indices" in primitive else np.arange(count)
        corners = named.astype(np.int64)
    if len(corners) and not 0 <= corners.min() <= corners.max() < count:
        raise InputError(f"{data.path}: its faces name vertices that do not exist ({count} do); export it again.")
    if mode == _TRIANGLES:
        if len(corners) % 3:
            raise InputError(f"{data.path}: {len(corners)} corners make no whole triangles; export it again.")
        return corners.reshape(-1, 3)
    if len(corners) < 3:
        return np.zeros((0, 3), np.int64)
    return strips.strip(corners) if mode == _STRIP else strips.fan(corners)


def positions(data: Data, node: dict[str, Any], primitive: dict[str, Any]) -> np.ndarray:
    """The positions in the node's space, float64 (n, 3), morph targets added with the node's or the mesh's weights."""
    if _DRACO in primitive.get("extensions", {}):
        points = np.asarray(_draco(data, primitive).points, float).reshape(-1, 3)
    else:
        points = data.accessor(primitive["attributes"]["POSITION"]).astype(float)
    weights = node.get("weights", data.item("meshes", node["mesh"]).get("weights", []))
    for target, weight in zip(primitive.get("targets", []), weights, strict=False):
        if weight and "POSITION" in target:
            moved = data.accessor(target["POSITION"]).astype(float)
            if moved.shape != points.shape:
                raise InputError(f"{data.path}: a morph target has another number of vertices; export it again.")
            points = points + weight * moved
    return points


def rounding(data: Data, primitive: dict[str, Any]) -> float:
    """What compression may have moved each position by, as a share of the primitive's longest side."""
    if _DRACO in primitive.get("extensions", {}):
        return _DRACO_ROUNDING
    accessor = data.item("accessors", primitive["attributes"]["POSITION"])
    if accessor["componentType"] == _FLOAT:
        return 0.0
    stored = data.accessor(primitive["attributes"]["POSITION"])
    step = 1 / _LARGEST[accessor["componentType"]] if accessor.get("normalized") else 1.0
    return 0.5 * step / max(float(np.ptp(stored.astype(float), axis=0).max(initial=0.0)), step)


def skinned(
    data: Data, skin: int, primitive: dict[str, Any], points: np.ndarray, matrices: dict[int, np.ndarray]
) -> np.ndarray:
    """The positions in the world as the skin's joints pose them; the node's own matrix does not count then.

    Args:
        points: (n, 3), after morph targets.
        matrices: of every node of the scene, to the world.
    """
    attributes = primitive["attributes"]
    if "JOINTS_0" not in attributes or "WEIGHTS_0" not in attributes:
        raise InputError(f"{data.path}: its skin weighs no vertices; export it without the skin.")
    if _DRACO in primitive.get("extensions", {}):
        raise InputError(f"{data.path}: its skin is compressed with Draco, which is not read; export it without one.")
    description = data.item("skins", skin)
    missing = [joint for joint in description["joints"] if joint not in matrices]
    if missing:
        raise InputError(
            f"{data.path}: joint {missing[0]} of its skin is not in the scene; export it without the skin."
        )
    pose = np.stack([matrices[joint] for joint in description["joints"]])
    if "inverseBindMatrices" in description:
        bind = data.accessor(description["inverseBindMatrices"]).astype(float).reshape(-1, 4, 4).transpose(0, 2, 1)
        pose = pose @ bind[: len(pose)]
    total, posed = np.zeros((len(points), 1)), np.zeros_like(points)
    for number in range(8):
        if f"JOINTS_{number}" not in attributes:
            break
        joints = data.accessor(attributes[f"JOINTS_{number}"]).astype(np.int64)
        weights = data.accessor(attributes[f"WEIGHTS_{number}"]).astype(float)
        if len(joints) != len(points) or joints.max(initial=0) >= len(pose):
            raise InputError(f"{data.path}: its skin names joints that do not exist; export it without the skin.")
        for joint, weight in zip(joints.T, weights.T, strict=True):
            moved = np.einsum("nij,nj->ni", pose[joint][:, :3, :3], points) + pose[joint][:, :3, 3]
            posed += weight[:, None] * moved
            total += weight[:, None]
    if (total <= 0).any():
        raise InputError(f"{data.path}: some vertices hang on no joint of its skin; export it without the skin.")
    return posed / total


def _draco(data: Data, primitive: dict[str, Any]) -> Any:
    import DracoPy  # here: few files need it

    extension = primitive["extensions"][_DRACO]
    key = ("draco", extension["bufferView"])
    if key not in data.decoded:
        content, _ = data.view(extension["bufferView"])
        try:
            mesh = DracoPy.decode(content)
            faces = len(mesh.faces)
        except MemoryError:
            raise
        except Exception as error:  # the decoder raises whatever damaged bytes lead it to
            raise InputError(f"{data.path}: its Draco data are damaged; get the file again.") from error
        _check_draco(data, primitive, mesh, faces)
        data.decoded[key] = mesh
    return data.decoded[key]


def _check_draco(data: Data, primitive: dict[str, Any], mesh: Any, faces: int) -> None:
    """The decoded part against what its accessors declare."""
    accessor = data.item("accessors", primitive["attributes"]["POSITION"])
    if "indices" in primitive:
        declared = data.item("accessors", primitive["indices"])["count"]
        if declared != faces * 3:
            raise InputError(
                f"{data.path}: its Draco data hold {faces} faces where {declared // 3} are declared; export it again."
            )
    data.check_bounds(accessor, np.asarray(mesh.points, float).reshape(-1, 3))
