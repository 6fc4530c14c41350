import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels.io import read_shape
from tests.voxels import chair


def _by_parts(relative: bool) -> str:
    """Each box followed by its own faces, counted from the start of the file or back from the line."""
    lines = []
    for index, (points, faces) in enumerate(chair.parts()):
        lines += [f"v {x:g} {y:g} {z:g}" for x, y, z in points]
        lines += ["f " + " ".join(map(str, face - 8 if relative else face + 1 + 8 * index)) for face in faces]
    return "\n".join(lines) + "\n"


def _faces_first(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(line for key in "fv" for line in lines if line[0] == key)


_TEXT = chair.obj()
_WRITTEN = {
    "plain": _TEXT,
    "blocks": _by_parts(relative=False),
    "relative": _by_parts(relative=True),
    "faces first": _faces_first(_TEXT),
    "tabs": _TEXT.replace(" ", "\t"),
    "indented": "".join("   " + line + "  \n" for line in _TEXT.splitlines()),
    "upper case": _TEXT.upper(),
    "old keyword": _TEXT.replace("f ", "fo "),
    "comments": "# chair\n" + chair.obj(" # v 9 9 9"),
    "continued": _TEXT.replace(" 8 7", " 8 \\\n 7"),
    "texture and normal": "\n".join(
        line if line[:1] != "f" else "f " + " ".join(f"{word}/1/2" for word in line.split()[1:])
        for line in _TEXT.splitlines()
    ),
    "normal only": _TEXT.replace("\nf 1 2 4 3", "\nf 1//1 2//1 4//1 3//1"),
    "colours": "\n".join(line + " 0.1 0.2 0.3" if line[:1] == "v" else line for line in _TEXT.splitlines()),
    "one weight": "\n".join(line + " 1.0" if line[:1] == "v" else line for line in _TEXT.splitlines()),
    "some weights of one": _TEXT.replace("v 0 0 3.9", "v 0 0 3.9 1"),
    "Fortran": "\n".join(
        line if line[:1] != "v" else "v " + " ".join(f"{float(w):.6E}".replace("E", "D") for w in line.split()[1:])
        for line in _TEXT.splitlines()
    ),
    "lines and groups": _TEXT + "l 1 2 3\np 4\ng a b\nusemtl wood\ns off\nvt 0 0\nvn 0 0 1\n",
    "no last line end": _TEXT.rstrip("\n"),
    "padding": _TEXT + "\0\0\0",
}


@pytest.mark.parametrize("name", _WRITTEN)
def test_files_as_people_write_them(tmp_path, name):
    path = tmp_path / "a.obj"
    path.write_text(_WRITTEN[name])
    np.testing.assert_array_equal(read_shape(path, 32), chair.grid())


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_and_line_ends(tmp_path, encoding, end):
    path = tmp_path / "a.obj"
    path.write_bytes(("g Stühle\n" + _TEXT).replace("\n", end).encode(encoding))
    np.testing.assert_array_equal(read_shape(path, 32), chair.grid())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_TEXT.replace("3.9", "3,9"), "'3,9' has a decimal comma"),
        (_TEXT.replace("v 0 0 3.9", "v 0 0"), "lacks a coordinate"),
        (_TEXT.replace("v 0 0 3.9", "v 0 0 x"), "'x' stands where a number should"),
        (_TEXT.replace("f 1 2 4 3", "f 1 2 4 99"), "face 1 names vertex 99, but there are 48"),
        (_TEXT.replace("f 1 2 4 3", "f 0 2 4 3"), "face 1 names vertex 0"),
        (_TEXT.replace("f 1 2 4 3", "f 1 2 4 -99"), "face 1 names vertex -99"),
        (_TEXT.rstrip("\n").rsplit(" ", 2)[0], "ends in the middle of its face 36"),
        (_TEXT.replace("f 1 2 4 3", "f 1 2 4\n3"), "'3' has no keyword"),
        (_TEXT + "surf 0 1 0 1 1 2 3 4\n", "free-form surfaces"),
        (_TEXT.replace("v 0 0 3.9", "v 0 0 3.9 0.5"), "different weights"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\np 1 2 3\n", "has no faces"),
        ("v 0 0 0\0\nv 1 0 0\n", "is binary"),
    ],
)
def test_what_would_be_another_shape_is_refused(tmp_path, content, words):
    path = tmp_path / "bad.obj"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as error:
        read_shape(path, 32)
    assert "bad.obj" in str(error.value)
