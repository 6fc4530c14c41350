"""Ways to put a mesh into few bytes, for `meshes.py`: this codec, Draco, meshopt and zstd."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import DracoPy
import numpy as np
import trimesh
import zstandard

from keras3dgan.codec import container
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.octree_codec import OctreeCodec, points
from keras3dgan.codec.origin import Origin
from keras3dgan.voxels import io
from keras3dgan.voxels.mesh import read_mesh
from keras3dgan.voxels.voxelize import voxelize_placed

# `--bytes` of this codec, by its resolution.
BYTES = {32: (15, 25, 50), 64: (25, 50, 100, 200), 128: (50, 100, 200, 400)}
# To how many faces meshes are simplified before Draco and meshopt code them.
FACES = (3000, 1000, 300, 100, 50)
AS_IT_IS = "as it is"
DRACO_BITS = tuple(range(6, 12))
MESHOPT_BITS = (6, 8, 10)


class Coded(NamedTuple):
    """What one setting makes of a mesh.

    Attributes:
        codec: its name.
        setting: in a few words.
        bytes: of all that restores it, its place included.
        mesh: what comes back, in the units of the original.
    """

    codec: str
    setting: str
    bytes: int
    mesh: trimesh.Trimesh


def this_codec(used: OctreeCodec, mesh: trimesh.Trimesh) -> Iterator[Coded]:
    """A `.g3c` file with its placement, without loss and with each of `BYTES`; restored is what `decompress` writes."""
    grid, placement = voxelize_placed(mesh, used.resolution)
    turned, exact = search.turned(used.octree, grid, used.poses)
    origin = Origin(turned, placement=placement)
    chosen = {"lossless": points([exact], False, origin)[0]}
    found = points(search.ways(used.octree, exact.grid), False, origin)
    for size in BYTES[used.resolution]:
        if found[0].size <= size:
            [chosen[f"--bytes={size}"]] = Goal(bytes=size).choose([found])
    for setting, point in chosen.items():
        [stream] = used.streams([point])
        yield Coded(f"this codec, {used.resolution}^3", setting, len(stream), _restored(used, stream))


def _restored(used: OctreeCodec, stream: bytes) -> trimesh.Trimesh:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "restored.ply"
        io.write_shape(path, used.decode(stream), placement=container.origin(stream).placement)
        return read_mesh(path)


def simplified(mesh: trimesh.Trimesh) -> dict[str, trimesh.Trimesh]:
    """The mesh as it is, and simplified by quadrics (Garland and Heckbert 1997) to each of `FACES` of which it has more."""
    found = {AS_IT_IS: mesh}
    for count in FACES:
        if count < len(mesh.faces) and len((smaller := mesh.simplify_quadric_decimation(face_count=count)).faces):
            found[f"{count} faces"] = smaller
    return found


def draco(versions: dict[str, trimesh.Trimesh]) -> Iterator[Coded]:
    """Draco at its highest level of compression, of a mesh and its simplified versions."""
    for name, mesh in versions.items():
        for bits in DRACO_BITS:
            corners, faces = mesh.vertices.astype(np.float32), mesh.faces.astype(np.uint32)
            stream = DracoPy.encode(corners, faces, quantization_bits=bits, compression_level=10)
            decoded = DracoPy.decode(stream)
            restored = trimesh.Trimesh(decoded.points, decoded.faces, process=False)
            yield Coded("Draco", f"{name}, {bits} bits", len(stream), restored)


def meshopt(program: str, mesh: trimesh.Trimesh) -> Iterator[Coded]:
    """`gltfpack`, which quantises, simplifies and compresses with meshopt, into a `.glb` file.

    Its geometry is read from a second file, made without the last step, which loses nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, packed, plain = (pathlib.Path(folder) / f"{name}.glb" for name in ("source", "packed", "plain"))
        source.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(mesh), include_normals=False))
        counts = {f"{count} faces": count for count in FACES if count < len(mesh.faces)}
        for name, count in {AS_IT_IS: len(mesh.faces), **counts}.items():
            for bits in MESHOPT_BITS:
                how = ["-vp", str(bits)]
                if name != AS_IT_IS:
                    how += ["-si", f"{count / len(mesh.faces):.6f}", "-se", "1"]
                for target, more in ((packed, ["-cc"]), (plain, [])):
                    command = [program, "-i", str(source), "-o", str(target), *how, *more]
                    subprocess.run(command, check=True, capture_output=True)
                if _has_faces(plain):
                    yield Coded("meshopt", f"{name}, {bits} bits", packed.stat().st_size, read_mesh(plain, up="z"))


def _has_faces(path: pathlib.Path) -> bool:
    """Whether `gltfpack` has left anything of a mesh."""
    content = path.read_bytes()
    length = int.from_bytes(content[12:16], "little")
    return bool(json.loads(content[20 : 20 + length]).get("meshes"))


def zstd_ply(mesh: trimesh.Trimesh) -> Iterator[Coded]:
    """The mesh as a binary PLY of float32 and int32, squeezed by zstd."""
    content = mesh.export(file_type="ply", vertex_normal=False)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "mesh.ply"
        path.write_bytes(content)
        yield Coded("zstd of the PLY", AS_IT_IS, len(zstandard.compress(content, 19)), read_mesh(path))


def all_ways(mesh: trimesh.Trimesh, codecs: Sequence[OctreeCodec], gltfpack: str | None) -> Iterator[Coded]:
    """Every setting of every codec."""
    for used in codecs:
        yield from this_codec(used, mesh)
    yield from draco(simplified(mesh))
    if gltfpack:
        yield from meshopt(gltfpack, mesh)
    yield from zstd_ply(mesh)


def gltfpack_version(program: str | None) -> str | None:
    """What `gltfpack -v` says, or None without it."""
    if not program or not os.access(program, os.X_OK):
        return None
    done = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip() or None
