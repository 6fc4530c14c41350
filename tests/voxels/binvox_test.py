import numpy as np
import pytest
import trimesh

from keras3dgan.errors import InputError
from keras3dgan.voxels.binvox import Binvox, read_binvox, write_binvox
from tests.conftest import corner_shape


def test_round_trip_keeps_grid_and_place(tmp_path):
    written = Binvox(corner_shape(), (-0.5, 0.25, 3.0), 1.75)
    write_binvox(tmp_path / "a.binvox", written)
    read = read_binvox(tmp_path / "a.binvox")
    np.testing.assert_array_equal(read.grid, written.grid)
    assert (read.translate, read.scale) == (written.translate, written.scale)


def test_axis_order_agrees_with_the_format(tmp_path):
    # By hand: y runs fastest, then z, then x. One voxel at x=1, y=0, z=1 of 2^3 is number 1*4 + 1*2 + 0 = 6.
    (tmp_path / "b.binvox").write_bytes(
        b"#binvox 1\ndim 2 2 2\ntranslate 0 0 0\nscale 1\ndata\n\x00\x06\x01\x01\x00\x01"
    )
    grid = read_binvox(tmp_path / "b.binvox").grid
    assert grid.sum() == 1 and grid[1, 0, 1] == 1


def test_trimesh_reads_the_same_grid(tmp_path):
    write_binvox(tmp_path / "a.binvox", Binvox(corner_shape()))
    np.testing.assert_array_equal(trimesh.load(tmp_path / "a.binvox").matrix, corner_shape().astype(bool))


def test_runs_longer_than_a_byte(tmp_path):
    for grid in (np.ones((20,) * 3, np.uint8), np.zeros((20,) * 3, np.uint8)):
        write_binvox(tmp_path / "c.binvox", Binvox(grid))
        np.testing.assert_array_equal(read_binvox(tmp_path / "c.binvox").grid, grid)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a binvox file"),
        (b"solid\n", "not a binvox file"),
        (b"#binvox 1\ndim 2 2 2\ndata\n\x00\x07", "ends after 7 of the 8 voxels"),
        (b"#binvox 1\ndim 2 2 2\ndata\n", "ends after 0 of the 8 voxels"),
        (b"#binvox 1\ndim 2 2 2\ndata\n\x00\x07\x01\x05", "runs that do not end at 8 of the 8"),
        (b"#binvox 1\ndim 2 2 3\ndata\n\x00\x0c", "no cubic size"),
        (b"#binvox 1\ndim 9000 9000 9000\ndata\n\x00\x01", "more than"),
        (b"#binvox 1\ndim 2 2 2\nscale x\ndata\n\x00\x08", "no number"),
    ],
)
def test_bad_files_get_a_sentence(tmp_path, content, words):
    path = tmp_path / "bad.binvox"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_binvox(path)
    assert "bad.binvox" in str(error.value)


@pytest.mark.parametrize(
    "header",
    [
        b"#binvox 1\r\ndim 2 2 2\r\ntranslate 0 0 0\r\nscale 1\r\ndata\r\n",
        b"#binvox 1 \ndim 2 2 2 \ntranslate 0 0 0 \nscale 1 \ndata \n",
        b"#binvox 1\n# my data\n# dim 9 9 9\ndim 2 2 2\ndata\n",
        b"#binvox 1\ndim 2 2 2 # n\ntranslate 0 0 0 # t\nscale 1\ndata\n",
    ],
)
@pytest.mark.parametrize("behind", [b"", b"\n", b"\0" * 7, b"\x01\xff"])
def test_headers_and_ends_as_programs_write_them(tmp_path, header, behind):
    (tmp_path / "a.binvox").write_bytes(header + b"\x00\x06\x01\x01\x00\x01" + behind)
    grid = read_binvox(tmp_path / "a.binvox").grid
    assert grid.sum() == 1 and grid[1, 0, 1] == 1


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_binvox(tmp_path / "none.binvox")
