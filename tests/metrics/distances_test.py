import numpy as np
from scipy.spatial import cKDTree

from keras3dgan.metrics.distances import chamfer_distances, iou_distances


def _bars(*lengths, size=8):
    grids = np.zeros((len(lengths), size, size, size), np.uint8)
    for grid, length in zip(grids, lengths, strict=True):
        grid[:length, 0, 0] = 1
    return grids


def test_iou_distances_by_hand():
    distances = iou_distances(_bars(2, 4), _bars(1, 2, 8))
    np.testing.assert_allclose(distances, [[1 / 2, 0, 6 / 8], [3 / 4, 2 / 4, 4 / 8]])


def test_iou_distances_of_empty_grids_and_of_many():
    empty, full = np.zeros((1, 8, 8, 8), np.uint8), np.ones((1, 8, 8, 8), np.uint8)
    assert iou_distances(empty, empty) == 0 and iou_distances(empty, full) == 1
    many = (np.random.default_rng(0).random((600, 4, 4, 4)) < 0.4).astype(np.uint8)
    distances = iou_distances(many[:5], many)
    assert distances.shape == (5, 600)
    union, both = (many[3] | many[555]).sum(), (many[3] & many[555]).sum()
    np.testing.assert_allclose(distances[3, 555], 1 - both / union)


def test_chamfer_distances_by_hand():
    """Two single voxels 3 apart: each is 3 away from the other, an eighth of the cube's edge each."""
    a, b = np.zeros((2, 1, 8, 8, 8), np.uint8)
    a[0, 1, 1, 1] = b[0, 1, 4, 1] = 1
    np.testing.assert_allclose(chamfer_distances(a, b), 3 / 8)
    # A bar of 2 against one of 3: forth 0, back (0 + 0 + 1) / 3.
    np.testing.assert_allclose(chamfer_distances(_bars(2), _bars(3)), (0 + 1 / 3) / 2 / 8, rtol=1e-6)


def test_chamfer_distances_equal_those_of_a_search_over_points():
    rng = np.random.default_rng(0)
    grids = np.zeros((4, 12, 12, 12), np.uint8)
    for grid in grids:
        low, high = np.sort(rng.integers(0, 12, (2, 3)), axis=0)
        grid[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1] = 1

    def surface(grid):
        padded = np.pad(grid, 1)
        neighbours = [np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1] for axis in range(3) for step in (1, -1)]
        return np.argwhere(grid & ~np.all(neighbours, axis=0))

    distances = chamfer_distances(grids[:2], grids[2:])
    for i in range(2):
        for j in range(2):
            a, b = surface(grids[i]), surface(grids[2 + j])
            expected = (cKDTree(b).query(a)[0].mean() + cKDTree(a).query(b)[0].mean()) / 2 / 12
            np.testing.assert_allclose(distances[i, j], expected, rtol=1e-5)


def test_chamfer_distances_of_empty_grids():
    empty = np.zeros((1, 8, 8, 8), np.uint8)
    assert chamfer_distances(empty, empty) == 0
    np.testing.assert_allclose(chamfer_distances(empty, _bars(2)), 3**0.5)
    np.testing.assert_allclose(chamfer_distances(_bars(2), empty), 3**0.5)


def test_both_are_zero_on_the_diagonal_and_symmetric():
    grids = (np.random.default_rng(0).random((6, 8, 8, 8)) < 0.3).astype(np.uint8)
    for distance in (iou_distances, chamfer_distances):
        among = distance(grids, grids)
        np.testing.assert_allclose(np.diag(among), 0, atol=1e-7)
        np.testing.assert_allclose(among, among.T, atol=1e-7)
