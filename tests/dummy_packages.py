"""Small packages of every format, for the tests: the same asymmetric shape in each, and boxes."""

from __future__ import annotations

import pathlib
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import trimesh

_COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2001, A. A.
           2002, B. B.
License: GPL-2+

Files: data/karts/* binaries/data/mods/public/art/meshes/skeletal/*
Copyright: C. C.
License: CC-BY-4.0

License: GPL-2+
 Files: of the text of a licence are none.
"""
# By the hashes of their names four are for training, one for validation, three for the test.
_PARTS = ("Battery", "Buzzer", "Diode", "Relay", "Fuse", "Coil", "Filter", "Module")


def l_shape(foot: float = 2.0, post: float = 3.0) -> trimesh.Trimesh:
    """A foot along x, 1 wide along y, and a post along z at its end; z up."""
    parts = [trimesh.creation.box((foot, 1, 0.5)), trimesh.creation.box((0.5, 1, post))]
    parts[0].apply_translation((foot / 2, 0.5, 0.25))
    parts[1].apply_translation((0.25, 0.5, post / 2))
    return trimesh.util.concatenate(parts)


def _text(rows: np.ndarray, separator: str = " ") -> str:
    return "\n".join(separator.join(f"{value:g}" for value in row) for row in rows)


def vrml(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """As KiCad writes it."""
    corners = ",".join(",".join(map(str, face)) + ",-1" for face in faces)
    points = ",".join(f"{x:g} {y:g} {z:g}" for x, y, z in vertices)
    return (
        "#VRML V2.0 utf8\nShape { appearance Appearance {material DEF A Material { shininess 0.3 } } }\n"
        f"Shape {{ geometry IndexedFaceSet\n{{ creaseAngle 0.50 coordIndex [{corners}]\n"
        f"coord Coordinate {{ point [{points}]\n}}}}\nappearance Appearance{{material USE A }}\n}}\n"
    ).encode()


def ac3d(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """Moved by `loc` inside a group that is turned by a quarter about y."""
    surfaces = "".join(
        f"SURF 0x20\nmat 0\nrefs 3\n{a} 0 0\n{b} 0 0\n{c} 0 0\n"
        if index
        # The first triangle as a strip of TORCS.
        else f"SURF 0x24\nmat 0\nrefs 3\n{a} 0 0 0 0\n{b} 0 0 0 0\n{c} 0 0 0 0\n"
        for index, (a, b, c) in enumerate(faces)
    )
    turned = vertices[:, [2, 1, 0]] * (-1, 1, 1)  # (x, y, z) to (-z, y, x), which the group turns back
    return (
        'AC3Db\nMATERIAL "m" rgb 1 1 1\nOBJECT world\nkids 2\nOBJECT group\ndata 6\nOBJECT\nrot 0 0 -1 0 1 0 1 0 0\nkids 1\n'
        f'OBJECT poly\nname "p"\nloc 0 5 0\nnumvert {len(vertices)}\n{_text(turned)}\nnumsurf {len(faces)}\n{surfaces}'
        "SURF 0x22\nmat 0\nrefs 2\n0 0 0\n1 0 0\nkids 0\n"
    ).encode()


def pie(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """Version 2."""
    polygons = "\n".join(f"\t200 3 {a} {b} {c} 0 0 1 1 2 2" for a, b, c in faces)
    return (
        f"PIE 2\nTYPE 200\nTEXTURE 0 page.png 256 256\nLEVELS 1\nLEVEL 1\nPOINTS {len(vertices)}\n{_text(vertices)}\n"
        f"POLYGONS {len(faces)}\n{polygons}\n"
    ).encode()


def pmd(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """Version 4 with one set of texture coordinates."""
    rows = b"".join(struct.pack("<8f", *vertex, 0, 0, 1, 0, 0) + bytes([255] * 4) + bytes(16) for vertex in vertices)
    body = struct.pack("<II", len(vertices), 1) + rows + struct.pack("<I", len(faces)) + faces.astype("<u2").tobytes()
    return b"PSMD" + struct.pack("<II", 4, len(body)) + body


def g3d(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """Version 4, two frames of which the second is flat, one texture."""
    frames = np.stack([vertices, vertices * (1, 0, 1)]).astype("<f4").tobytes()
    head = struct.pack("<64s3I8f2I64s", b"part", 2, len(vertices), faces.size, *[0] * 8, 0, 1, b"texture")
    uv = bytes(8 * len(vertices))
    return b"G3D\x04" + struct.pack("<HB", 1, 0) + head + frames + frames + uv + faces.astype("<u4").tobytes()


def md3(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """One surface, one frame; a unit is 64 steps."""
    rows = np.concatenate([np.round(vertices * 64), np.zeros((len(vertices), 1))], axis=1).astype("<i2").tobytes()
    start = 4 + 64 + 10 * 4
    at_vertices = start + faces.size * 4
    numbers = (0, 1, 1, len(vertices), len(faces), start, 0, 0, at_vertices, at_vertices + len(rows))
    surface = b"IDP3" + struct.pack("<64s10I", b"part", *numbers) + faces.astype("<u4").tobytes() + rows
    return b"IDP3" + struct.pack("<I64s9I", 15, b"name", 0, 1, 0, 1, 0, 0, 0, 4 + 4 + 64 + 36, 0) + surface


def spm(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """Skinned, with normals, tangents, one texture, and colours of which every other is white."""
    rows = b"".join(
        struct.pack("<3fI", *vertex, 0) + (b"\x80" if index % 2 else b"\x00\x01\x02\x03") + bytes(4 + 4 + 16)
        for index, vertex in enumerate(vertices)
    )
    head = b"SP" + bytes([(1 << 3) | 1, 7]) + bytes(24) + struct.pack("<H", 1) + b"\x01t\x00" + struct.pack("<HH", 1, 1)
    return head + struct.pack("<IIH", len(vertices), faces.size, 0) + rows + faces.astype("u1").tobytes()


# How each format stands: from z up to the file's own axes.
_TO_Y = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
_TO_Y_LEFT = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]], float)
WRITERS: dict[str, tuple[Callable[[np.ndarray, np.ndarray], bytes], np.ndarray, str]] = {
    ".wrl": (vrml, np.eye(3), "z"),
    ".md3": (md3, np.eye(3), "z"),
    ".ac": (ac3d, _TO_Y, "y"),
    ".g3d": (g3d, _TO_Y, "y"),
    ".pie": (pie, _TO_Y, "y"),
    ".pmd": (pmd, _TO_Y_LEFT, "y left"),
    ".spm": (spm, _TO_Y_LEFT, "y left"),
}


def content(suffix: str, mesh: trimesh.Trimesh) -> bytes:
    """A mesh, z up, as a file of this format."""
    write, axes, _ = WRITERS[suffix]
    return write(mesh.vertices @ axes, mesh.faces)


def make_packages(root: pathlib.Path) -> None:
    """Three packages, one of them in an archive: ten shapes of licences that differ, a copy, a cut file, one left out."""
    for name in ("kicad-packages3d", "0ad-data", "supertuxkart-data"):
        folder = root / "usr/share/doc" / name
        folder.mkdir(parents=True)
        (folder / "copyright").write_text(_COPYRIGHT)
    parts = root / "usr/share/kicad/3dmodels"
    for index, name in enumerate(_PARTS):
        folder = parts / f"{name}.3dshapes"
        folder.mkdir(parents=True)
        (folder / "one.wrl").write_bytes(content(".wrl", l_shape(post=1 + index / 2)))
    turned = l_shape(post=1).apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (0, 0, 1)))
    (parts / "Battery.3dshapes" / "turned.wrl").write_bytes(content(".wrl", turned))
    (parts / "Battery.3dshapes" / "cut.wrl").write_bytes(content(".wrl", l_shape())[:-200])
    karts = root / "usr/share/games/supertuxkart/data/karts/tux"
    karts.mkdir(parents=True)
    (karts / "tux.spm").write_bytes(content(".spm", trimesh.creation.icosphere(1)))
    archive = root / "usr/share/games/0ad/mods/public/public.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        bear = l_shape(foot=4, post=2.2)
        file.writestr("art/meshes/skeletal/bear.dae.cached.pmd", content(".pmd", bear))
        file.writestr("art/meshes/temp/left_out.pmd", content(".pmd", bear))
