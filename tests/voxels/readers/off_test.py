import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels.io import read_shape
from tests.voxels import chair

_TEXT = chair.off()
_WRITTEN = {
    "plain": _TEXT,
    "ModelNet": chair.off("OFF"),
    "one line": chair.off("OFF "),
    "lower case": chair.off("off\n"),
    "no edge count": _TEXT.replace("48 36 0", "48 36"),
    "comments": "# a chair\n" + _TEXT.replace("48 36 0\n", "# counts\n48 36 0 # of them\n\n"),
    "colours by header": chair.off("COFF\n", " 255 0 0 255"),
    "colours without": chair.off("OFF\n", " 10 20 30"),
    "normals": chair.off("NOFF\n", " 0 0 1"),
    "texture": chair.off("STOFF\n", " 0.5 0.5"),
    "face colours": chair.off(behind_face=" 0.3 0.2 0.1"),
    "face colour index": chair.off(behind_face=" 7"),
    "mark": "\ufeff" + _TEXT,
    "CR": _TEXT.replace("\n", "\r"),
    "padding": _TEXT + "\n\n\x1a\0",
}


@pytest.mark.parametrize("name", _WRITTEN)
def test_files_as_people_write_them(tmp_path, name):
    path = tmp_path / "a.off"
    path.write_bytes(_WRITTEN[name].encode())
    np.testing.assert_array_equal(read_shape(path, 32), chair.grid())


_LINES = _TEXT.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("".join(_LINES[:-5]), "ends after 31 of 36 faces"),
        ("".join(_LINES[:40]), "ends after 38 of 48 vertices"),
        (_TEXT.rstrip("\n")[:-3], "face 36 of 36 has fewer corners"),
        (_TEXT.replace("48 36", "48 30"), "says 30 faces, but more of them follow"),
        (_TEXT.replace("4 0 1 3 2", "4 0 1 3 48"), "do not exist"),
        (_TEXT.replace("4 0 1 3 2", "4 0 1.5 3 2"), "no whole number"),
        (_TEXT.replace("OFF\n", ""), "header 'OFF'"),
        (_TEXT.replace("OFF\n", "4OFF\n"), "other than three coordinates"),
        ("OFF BINARY\n\0\0\0\x30\0\0\0\x24", "binary"),
        ("OFF\n", "how many vertices"),
        ("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n", "no faces"),
    ],
)
def test_what_would_be_another_shape_is_refused(tmp_path, content, words):
    path = tmp_path / "bad.off"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as error:
        read_shape(path, 32)
    assert "bad.off" in str(error.value)
