import numpy as np
import pytest
import trimesh

from keras3dgan.errors import InputError
from keras3dgan.voxels.voxelize import voxelize


def test_solid_voxelisation_of_a_ball_has_its_volume():
    volume = voxelize(trimesh.creation.icosphere(4), 64).sum()
    assert 1 < volume / (4 / 3 * np.pi * 30**3) < 1.08


def test_an_open_mesh_is_filled_all_the_same():
    whole = trimesh.creation.icosphere(3)
    holed = trimesh.Trimesh(whole.vertices, np.delete(whole.faces, np.arange(0, 1280, 160), axis=0), process=False)
    assert not holed.is_watertight
    flipped = trimesh.Trimesh(whole.vertices, whole.faces[:, ::-1], process=False)
    solid = voxelize(whole, 32)
    assert (voxelize(holed, 32) != solid).sum() < 0.05 * solid.sum()
    np.testing.assert_array_equal(voxelize(flipped, 32), solid)


def test_legs_and_the_room_between_them_survive():
    parts = [trimesh.creation.box((2, 2, 0.1), trimesh.transformations.translation_matrix((0, 0, 1)))]
    for x in (-0.9, 0.9):
        for y in (-0.9, 0.9):
            parts.append(trimesh.creation.box((0.05, 0.05, 2), trimesh.transformations.translation_matrix((x, y, 0))))
    grid = voxelize(trimesh.util.concatenate(parts), 32)
    assert not grid[8:24, 8:24, 4:14].any()
    assert (grid[:, :, 8].sum() >= 4) and grid[16, 16, :].sum() <= 3


def test_degenerate_meshes():
    point = trimesh.Trimesh([[1, 1, 1]] * 3, [[0, 1, 2]], process=False)
    with pytest.raises(InputError, match="in one point"):
        voxelize(point, 32, name="point.obj")
    flat = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], process=False)
    assert 300 < voxelize(flat, 32).sum() < 600


def _cup() -> trimesh.Trimesh:
    """A closed cup: an outer and an inner wall that meet in its rim."""
    profile = np.array([[0, 0], [3, 0], [3, 6], [2.4, 6], [2.4, 0.7], [0, 0.7]])
    return trimesh.creation.revolve(profile, sections=48)


def _turn(angle: float, axis: tuple[float, float, float]) -> np.ndarray:
    return trimesh.transformations.rotation_matrix(np.radians(angle), axis)


def _turned(mesh: trimesh.Trimesh, angle: float, axis: tuple[float, float, float] = (1, 0, 0)) -> trimesh.Trimesh:
    return mesh.copy().apply_transform(_turn(angle, axis))


def _samples(mesh: trimesh.Trimesh, resolution: int, count: int = 200_000) -> np.ndarray:
    """The voxels that hold a random point of the surface, at least a fiftieth of a voxel from their borders."""
    low, high = mesh.bounds
    points = mesh.sample(count, seed=0)
    scale = (resolution - 2 * (resolution // 32)) / (high - low).max()
    voxels = (points - (low + high) / 2) * scale + resolution / 2
    off = np.abs(voxels - np.round(voxels)).min(axis=1)
    return np.floor(voxels[off > 0.02]).astype(int)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return ((a > 0) & (b > 0)).sum() / ((a > 0) | (b > 0)).sum()


@pytest.mark.parametrize("angle", [0, 30, 45, 77])
def test_a_cup_stays_open_whichever_way_it_leans(angle):
    cup = _turned(_cup(), angle, (1, 0.3, 0))
    low, high = cup.bounds
    scale = 30 / (high - low).max()
    centres = (np.indices((32,) * 3).reshape(3, -1).T + 0.5 - 16) / scale + (low + high) / 2
    x, y, z = trimesh.transform_points(centres, np.linalg.inv(_turn(angle, (1, 0.3, 0)))).T
    radius = np.hypot(x, y)
    wanted = ((radius < 3) & (z > 0) & (z < 6) & ~((radius < 2.4) & (z > 0.7))).reshape((32,) * 3)
    wanted[tuple(_samples(cup, 32).T)] = True
    grid = voxelize(cup, 32)
    # Random points miss what the surface barely enters; nothing else may be there, and the cup's inside is empty.
    assert grid[wanted].all() and _iou(grid, wanted) > 0.96


@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_every_voxel_that_the_surface_enters_is_occupied(resolution):
    for mesh in (
        _turned(_cup(), 33),
        _turned(trimesh.creation.box((1, 2, 3)), 20, (1, 1, 1)),
        trimesh.creation.torus(2, 0.5),
    ):
        assert voxelize(mesh, resolution)[tuple(_samples(mesh, resolution).T)].all()


def test_overlapping_parts_unite_whichever_way_each_looks():
    parts = [trimesh.creation.box((4, 1, 1)), trimesh.creation.box((1, 4, 1)), trimesh.creation.box((1, 1, 4))]
    together = voxelize(trimesh.util.concatenate(parts), 32)
    parts[1].invert()
    np.testing.assert_array_equal(voxelize(trimesh.util.concatenate(parts), 32), together)
    # By hand: each bar is 30 by 7.5 by 7.5 voxels, and enters 8 voxels across.
    assert together.sum() == 3 * 30 * 8 * 8 - 2 * 8**3


@pytest.mark.parametrize("invert", [False, True])
def test_an_inner_wall_that_looks_inwards_is_a_cavity(invert):
    outer, inner = trimesh.creation.box((4, 4, 4)), trimesh.creation.box((2, 2, 2))
    inner.invert()
    hollow = trimesh.util.concatenate([outer, inner])
    if invert:
        hollow.invert()
    grid = voxelize(hollow, 32)
    assert grid[1:31, 1:31, 1:31].sum() > 20_000 and not grid[10:22, 10:22, 10:22].any()


def _damaged(mesh: trimesh.Trimesh, removed: float, flipped: float) -> trimesh.Trimesh:
    rng = np.random.default_rng(3)
    faces = mesh.faces.copy()
    turned = rng.random(len(faces)) < flipped
    faces[turned] = faces[turned][:, ::-1]
    return trimesh.Trimesh(mesh.vertices, faces[rng.random(len(faces)) >= removed], process=False)


@pytest.mark.parametrize(("removed", "flipped"), [(0.03, 0), (0, 0.2), (0, 1), (0.03, 0.2)])
def test_missing_and_flipped_faces_cost_little(removed, flipped):
    for mesh in (_turned(_cup(), 30), trimesh.creation.icosphere(3), trimesh.creation.torus(2, 0.5)):
        assert _iou(voxelize(_damaged(mesh, removed, flipped), 32), voxelize(mesh, 32)) > 0.97


def test_a_house_with_an_open_door_has_a_room():
    walls = [
        ((6, 6, 0.3), (0, 0, 0)),
        ((6, 6, 0.3), (0, 0, 4)),
        ((6, 0.3, 4), (0, 2.85, 2)),
        ((6, 0.3, 4), (0, -2.85, 2)),
    ]
    walls += [((0.3, 6, 4), (2.85, 0, 2)), ((0.3, 2, 4), (-2.85, 2, 2)), ((0.3, 2, 4), (-2.85, -2, 2))]
    move = trimesh.transformations.translation_matrix
    house = trimesh.util.concatenate([trimesh.creation.box(size, move(place)) for size, place in walls])
    grid = voxelize(house, 32)
    assert not grid[6:26, 6:26, 10:20].any() and grid[:, 16, 16].sum() <= 3


def test_what_carries_no_surface_decides_nothing():
    box = trimesh.creation.box((1, 2, 3))
    wanted = voxelize(box, 32)
    far = [[1e6, 1e6, 1e6], [2e6, 2e6, 2e6], [3e6, 3e6, 3e6], [np.nan] * 3]
    vertices = np.concatenate([box.vertices, far])
    faces = np.concatenate([box.faces, [[8, 9, 10], [0, 8, 8], [8, 8, 8]]])
    np.testing.assert_array_equal(voxelize(trimesh.Trimesh(vertices, faces, process=False), 32), wanted)


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e-30, 1e30, 1e200])
def test_very_small_and_very_large_units(size):
    box = trimesh.creation.box((1, 2, 3))
    scaled = trimesh.Trimesh(box.vertices * size, box.faces, process=False)
    assert _iou(voxelize(scaled, 32), voxelize(box, 32)) == 1


def test_far_from_the_origin_in_single_precision():
    box = trimesh.creation.box((10, 10, 10))
    moved = (box.vertices + [412_345, 5_412_345, 100]).astype(np.float32).astype(float)
    assert _iou(voxelize(trimesh.Trimesh(moved, box.faces, process=False), 32), voxelize(box, 32)) == 1
