import numpy as np
import pytest
import trimesh

from keras3dgan.errors import InputError
from keras3dgan.voxels import io, mesh

_TETRAHEDRON = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 1 2 3\n3 0 3 2\n"


@pytest.mark.parametrize("header", ["OFF\n4 4 0\n", "OFF4 4 0\n", "OFF 4 4 0\n"])
def test_off_headers_of_modelnet(tmp_path, header):
    (tmp_path / "a.off").write_text(header + _TETRAHEDRON)
    assert len(mesh.read_mesh(tmp_path / "a.off").faces) == 4


@pytest.mark.parametrize("suffix", [".off", ".obj", ".stl", ".ply", ".glb"])
def test_every_format_gives_the_same_grid(tmp_path, suffix):
    tall = trimesh.creation.box((1, 2, 4))
    if suffix == ".glb":
        tall.apply_transform(mesh.Y_UP_TO_Z_UP.T)
    tall.export(tmp_path / f"a{suffix}")
    grid = io.read_shape(tmp_path / f"a{suffix}", 32)
    extent = [np.ptp(axis) + 1 for axis in np.nonzero(grid)]
    assert extent == [8, 16, 30]


def test_surface_points_outwards_and_lies_where_the_voxels_lie():
    grid = np.zeros((8, 8, 8))
    grid[2:5, 2:6, 3:6] = 1
    surface = mesh.surface(grid)
    assert surface.is_watertight and 0.8 < surface.volume * 8**3 / 36 < 1
    np.testing.assert_allclose(surface.bounds * 8 + 4, [[2, 2, 3], [5, 6, 6]], atol=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty file"),
        ("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n", "no faces"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 nan 0\n3 0 1 2\n", "NaN or infinite"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n", "do not exist"),
        ("OFF\n90 90 0\n0 0 0\n", "ends after 1 of 90 vertices"),
    ],
)
def test_bad_meshes_get_a_sentence(tmp_path, content, words):
    (tmp_path / "bad.off").write_text(content)
    with pytest.raises(InputError, match=words) as error:
        mesh.read_mesh(tmp_path / "bad.off")
    assert "bad.off" in str(error.value)


def test_limits_and_names(tmp_path):
    trimesh.creation.icosphere(2).export(tmp_path / "ball.ply")
    with pytest.raises(InputError, match="320 faces are more than the 100 allowed"):
        mesh.read_mesh(tmp_path / "ball.ply", max_faces=100)
    with pytest.raises(InputError, match="no such file"):
        mesh.read_mesh(tmp_path / "none.obj")
    with pytest.raises(InputError, match=r"'\.doc' is no mesh format"):
        mesh.read_mesh(tmp_path / "a.doc")
    with pytest.raises(InputError, match="empty, so it has no surface"):
        mesh.write_mesh(tmp_path / "a.glb", np.zeros((8, 8, 8)))
    assert not (tmp_path / "a.glb").exists()
