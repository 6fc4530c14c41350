import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels.io import read_shape
from tests.voxels import chair

_CODES = {"uchar": "u1", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8"}


def _mixed() -> list[np.ndarray]:
    """Quadrilaterals and triangles, as Blender writes them."""
    return [*chair.quads()[:20], *np.concatenate([chair.quads()[20:, [0, 1, 2]], chair.quads()[20:, [0, 2, 3]]])]


def _strip() -> np.ndarray:
    """Each quadrilateral as a strip of its own, ended by -1."""
    return np.concatenate([[a, b, d, c, -1] for a, b, c, d in chair.quads()])


def _write(
    faces,
    order="<",
    kind="float",
    count="uchar",
    index="int",
    name="face",
    end="\n",
    flags=False,
    color=False,
    lists="vertex_indices",
    axes="xyz",
) -> bytes:
    """A `.ply` file, as text where `order` is empty."""
    form = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    header = [f"ply\nformat {form} 1.0\ncomment a chair\nelement vertex 48"]
    header += [f"property {kind} {axis}" for axis in axes] + ["property uchar red"] * color
    header += [f"element {name} {len(faces)}\nproperty list {count} {index} {lists}"]
    header += ["property uchar flags"] * flags + ["element edge 1\nproperty int vertex1\nend_header\n"]
    rows: list[list[tuple[str, float]]] = []
    for point in chair.vertices()[:, ["xyz".index(axis) for axis in axes]]:
        rows.append([(kind, value) for value in point] + [("uchar", 200)] * color)
    for face in faces:
        rows.append([(count, len(face))] + [(index, corner) for corner in face] + [("uchar", 3)] * flags)
    rows.append([("int", 5)])
    if not order:
        body = "".join(" ".join(f"{value:g}" for _, value in row) + "\n" for row in rows)
        return ("\n".join(header) + body).replace("\n", end).encode()
    body = b"".join(np.array(value, order + _CODES[kind]).tobytes() for row in rows for kind, value in row)
    return "\n".join(header).replace("\n", end).encode() + body


_WRITTEN = {
    "text": _write(chair.quads(), ""),
    "text, mixed": _write(_mixed(), ""),
    "text, CRLF": _write(_mixed(), "", end="\r\n"),
    "text, CR": _write(_mixed(), "", end="\r"),
    "text, other properties": _write(_mixed(), "", flags=True, color=True),
    "little endian": _write(chair.quads()),
    "big endian": _write(chair.quads(), ">"),
    "mixed": _write(_mixed()),
    "mixed, big endian": _write(_mixed(), ">"),
    "mixed, flags": _write(_mixed(), flags=True, color=True),
    "binary, CRLF header": _write(_mixed(), end="\r\n"),
    "double and uint": _write(_mixed(), ">", "double", "int", "uint"),
    "ushort": _write(chair.triangles(), index="ushort"),
    "vertex_index": _write(chair.triangles(), lists="vertex_index"),
    "axes in another order": _write(chair.quads(), axes="zxy"),
    "trailing bytes": _write(_mixed()) + b"\0" * 30,
    "strips": _write([_strip()], name="tristrips", count="int"),
    "strips, text": _write([_strip()], "", name="tristrips", count="int"),
    "strips, a row each": _write([strip[:-1] for strip in _strip().reshape(-1, 5)], name="tristrips", count="int"),
}


@pytest.mark.parametrize("name", _WRITTEN)
def test_files_as_people_write_them(tmp_path, name):
    path = tmp_path / "a.ply"
    path.write_bytes(_WRITTEN[name])
    np.testing.assert_array_equal(read_shape(path, 32), chair.grid())


def test_faces_may_stand_before_vertices(tmp_path):
    head = "ply\nformat ascii 1.0\nelement face 36\nproperty list uchar int vertex_indices\nelement vertex 48\n"
    head += "property float x\nproperty float y\nproperty float z\nend_header\n"
    body = chair.off().splitlines()[2:]
    (tmp_path / "a.ply").write_text(head + "\n".join(body[48:] + body[:48]))
    np.testing.assert_array_equal(read_shape(tmp_path / "a.ply", 32), chair.grid())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_write(_mixed())[:-150], r"ends after \d+ of 52 faces"),
        (_write(chair.quads())[:-150], r"ends after \d+ of 36 faces"),
        (_write(_mixed())[:700], r"ends after \d+ of 48 vertices"),
        (_write(_mixed(), "")[:-100], r"ends after \d+ of 52 faces"),
        (_write(_mixed(), "")[:600], r"ends after \d+ of 48 vertices"),
        (_write(_mixed()).replace(b"vertex 48", b"vertex 4800000000"), "ends after"),
        (_write(_mixed()).replace(b"face 52", b"face 5200000000"), "ends after"),
        (_write([[0, 1, 48]]), "do not exist"),
        (_write(_mixed())[:100], "header is cut off"),
        (_write(_mixed()).replace(b"float x", b"float u"), "lack x, y or z"),
        (_write(_mixed()).replace(b"list uchar int", b"list uchar text"), "is damaged"),
        (_write(_mixed()).replace(b"element face", b"element curve"), "only points or lines"),
    ],
)
def test_what_would_be_another_shape_is_refused(tmp_path, content, words):
    path = tmp_path / "bad.ply"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_shape(path, 32)
    assert "bad.ply" in str(error.value)
