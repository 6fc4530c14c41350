import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from keras3dgan.errors import InputError
from keras3dgan.voxels import io, mesh
from keras3dgan.voxels.placement import MAX_BYTES, Placement


@pytest.mark.parametrize("side", [1e-30, 0.37, 1.0, 2 - 1e-9, 1234.5, 1e30])
@pytest.mark.parametrize("centre", [(0, 0, 0), (0.01, -0.5, 0.49), (7.9, -7.9, 0), (1 / 512, 0, -1 / 512)])
def test_eight_bytes_hold_it(centre, side):
    placement = Placement(tuple(side * value for value in centre), side)
    content = placement.to_bytes()
    assert 3 <= len(content) <= MAX_BYTES and Placement.length(content + b"more") == len(content)
    again = Placement.from_bytes(content + b"more")
    assert again.side == pytest.approx(side, rel=2**-13)
    corners = np.array([[-0.5] * 3, [0.5] * 3])
    error = np.abs(again.place(corners) - placement.place(corners)).max() / side
    assert error < 1 / 7 / 128
    assert again.to_bytes() == content


def test_the_bits_by_hand():
    # side 1: exponent 0 + 128, mantissa 0; width 0: 1000 0000 | 0000 0000 0000 | 0000.
    assert Placement().to_bytes() == bytes.fromhex("800000")
    # x is -1 / 512 of the side 2: width 1, the numbers 1, 0, 0.
    assert Placement((-2 / 512, 0, 0), 2.0).to_bytes() == bytes.fromhex("81000180")


def test_what_does_not_fit_is_left_out():
    assert Placement((9, 0, 0), 1.0).to_bytes() is None
    assert Placement((0, 0, 5_412_345), 10.0).to_bytes() is None
    assert Placement(side=1e300).to_bytes() is None and Placement(side=5e-324).to_bytes() is None
    with pytest.raises(InputError, match="cut off"):
        Placement.from_bytes(Placement((1, 1, 1), 1.0).to_bytes()[:-1])


def _horn() -> trimesh.Trimesh:
    """A cone off its origin that leans, so that no axis of it is like another."""
    horn = trimesh.creation.cone(2, 7, sections=40)
    horn.apply_transform(trimesh.transformations.rotation_matrix(0.4, (1, 0.2, 0.3)))
    return horn.apply_translation((11, -4, 30))


@pytest.mark.parametrize(
    ("source", "up", "target", "resolution"),
    [
        ("a.ply", "auto", ".ply", 32),
        ("a.ply", "auto", ".glb", 32),
        ("a.obj", "y", ".obj", 64),
        ("a.obj", "y", ".stl", 32),
        ("a.glb", "auto", ".glb", 32),
        ("a.glb", "auto", ".obj", 32),
    ],
)
def test_the_restored_mesh_lies_where_the_original_lay(tmp_path, source, up, target, resolution):
    horn = _horn()
    horn.export(tmp_path / source)
    grid, placement, stood, _ = io.read(tmp_path / source, resolution, up)
    kept = Placement.from_bytes(placement.to_bytes())
    io.write_shape(tmp_path / f"b{target}", grid, placement=kept, up=stood)
    restored = trimesh.load_mesh(tmp_path / f"b{target}")
    if source == "a.ply" and target == ".glb":
        restored.apply_transform(mesh.Y_UP_TO_Z_UP)
    if source == "a.glb" and target != ".glb":
        horn.apply_transform(mesh.Y_UP_TO_Z_UP)  # a file without an up of its own is written z up
    voxel = placement.side / resolution
    # Both ways; 1.02 for what eight bytes round off.
    assert trimesh.proximity.closest_point_naive(horn, restored.vertices)[1].max() < 1.02 * voxel
    dense = cKDTree(restored.sample(100_000, seed=0))
    assert dense.query(horn.sample(5_000, seed=1))[0].max() < 1.02 * voxel


@pytest.mark.parametrize(
    ("target", "resolution"), [*((suffix, 32) for suffix in mesh.WRITABLE), (".ply", 8), (".obj", 31), (".stl", 128)]
)
def test_a_placed_mesh_comes_back_as_the_same_grid_in_the_same_place(tmp_path, target, resolution):
    _horn().export(tmp_path / "a.stl")
    grid, placement, _, _ = io.read(tmp_path / "a.stl", resolution)
    kept = Placement.from_bytes(placement.to_bytes())
    io.write_shape(tmp_path / f"b{target}", grid, placement=kept)
    again, place, _, _ = io.read(tmp_path / f"b{target}", resolution)
    np.testing.assert_array_equal(again, grid)
    assert Placement.from_bytes(place.to_bytes()) == kept


def test_grids_stand_as_the_file_stood(tmp_path):
    box = trimesh.creation.box((1, 2, 4))
    box.export(tmp_path / "a.obj")
    grid, placement, up, _ = io.read(tmp_path / "a.obj", 32, "y")
    io.write_shape(tmp_path / "b.npy", grid, placement=placement, up=up)
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), io.read_shape(tmp_path / "a.obj", 32, "z"))
    io.write_shape(tmp_path / "b.binvox", grid, placement=placement, up=up)
    np.testing.assert_array_equal(io.read_shape(tmp_path / "b.binvox", 32, "y"), grid)
