import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels.io import read_shape
from tests.voxels import chair


def _binary(count: int | None = None, header: bytes = b"", behind: bytes = b"") -> bytes:
    corners = chair.vertices()[chair.triangles()].astype("<f4")
    records = np.zeros(len(corners), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records["corners"] = corners
    number = len(corners) if count is None else count
    return header.ljust(80, b"\0") + number.to_bytes(4, "little") + records.tobytes() + behind


def _text(head: str = "solid chair", tail: str = "endsolid chair\n") -> str:
    facets = "".join(
        "facet normal 0 0 0\n outer loop\n"
        + "".join(f"  vertex {x:g} {y:g} {z:g}\n" for x, y, z in chair.vertices()[corners])
        + " endloop\nendfacet\n"
        for corners in chair.triangles()
    )
    return f"{head}\n{facets}{tail}"


_WRITTEN = {
    "binary": _binary(),
    "binary that begins as text": _binary(header=b"solid made by a program"),
    "binary with facet in its header": _binary(header=b"solid facet normal outer loop"),
    "trailing bytes": _binary(behind=b"\0" * 20),
    "long trailing padding": _binary(behind=b"\0" * 512),
    "trailing notes": _binary(behind=b"# written by a program that appends a note of its own, which is no facet\n" * 3),
    "text": _text().encode(),
    "no name": _text("solid", "endsolid\n").encode(),
    "no end": _text(tail="").encode(),
    "upper case": _text().upper().encode(),
    "CRLF": _text().replace("\n", "\r\n").encode(),
    "mark": _text().encode("utf-8-sig"),
    "a name like a facet": _text("solid my facet outer loop vertex 1 2 3").encode(),
    "two solids": _text().replace("endfacet\n", "endfacet\nendsolid a\nsolid b\n", 1).encode(),
}


@pytest.mark.parametrize("name", _WRITTEN)
def test_files_as_people_write_them(tmp_path, name):
    path = tmp_path / "a.stl"
    path.write_bytes(_WRITTEN[name])
    np.testing.assert_array_equal(read_shape(path, 32), chair.grid())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_binary()[:-500], "ends after 62 of the 72 faces"),
        (_binary(count=80), "ends after 72 of the 80 faces"),
        (_binary(count=40), "counts 40 faces, but it holds 72"),
        (_binary(count=0), "counts 0 faces, but it holds 72"),
        (_binary(count=0)[:84], "has no faces"),
        (b"abc", "too short"),
        (_text()[:-50].encode(), "middle of its facet 72"),
        (_text().replace("3.9", "3,9").encode(), "decimal comma"),
        (_text().replace("endloop", "vertex 0 0 0\nendloop", 1).encode(), "facet 1 is not written as three"),
        (b"solid a\nendsolid a\n", "has no faces"),
    ],
)
def test_what_would_be_another_shape_is_refused(tmp_path, content, words):
    path = tmp_path / "bad.stl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_shape(path, 32)
    assert "bad.stl" in str(error.value)
