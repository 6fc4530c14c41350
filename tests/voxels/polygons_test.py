import numpy as np
import pytest

from keras3dgan.voxels.polygons import Polygons, triangulate

_OUTLINES = {
    "triangle": [(0, 0), (4, 0), (0, 3)],
    "square": [(0, 0), (4, 0), (4, 4), (0, 4)],
    "arrow": [(0, 0), (6, 6), (0, 3), (-6, 6)],
    "hexagon": [(2, 0), (1, 2), (-1, 2), (-2, 0), (-1, -2), (1, -2)],
    "u": [(0, 0), (6, 0), (6, 6), (4, 6), (4, 1), (2, 1), (2, 6), (0, 6)],
    "comb": [
        (0, 0),
        (9, 0),
        (9, 5),
        (8, 5),
        (8, 1),
        (6, 1),
        (6, 5),
        (5, 5),
        (5, 1),
        (3, 1),
        (3, 5),
        (2, 5),
        (2, 1),
        (0, 1),
    ],
    "corners on a side": [(0, 0), (2, 0), (4, 0), (4, 4), (2, 4), (0, 4)],
    "keyhole": [(0, 0), (6, 0), (6, 6), (0, 6), (0, 0), (2, 2), (2, 4), (4, 4), (4, 2), (2, 2)],
}


def _area(outline: np.ndarray) -> np.ndarray:
    """The signed area along the plane's normal of a polygon (k, 3) in space, as a vector."""
    return np.cross(outline, np.roll(outline, -1, axis=0)).sum(axis=0) / 2


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("name", _OUTLINES)
def test_triangles_cover_the_polygon_once(name, turn):
    flat = np.roll(np.array(_OUTLINES[name], float), turn, axis=0)
    outline = np.stack([flat[:, 0], flat[:, 1] * 0.6, flat[:, 1] * 0.8 + 5], axis=1)  # in a leaning plane
    other = outline + 10
    count = len(flat)
    both = Polygons(np.concatenate([outline, other]), np.arange(2 * count), np.array([count, count]))
    vertices, faces = triangulate(both)
    pieces = np.array([_area(vertices[face]) for face in faces])
    total = _area(outline)
    np.testing.assert_allclose(pieces.sum(axis=0), 2 * total, atol=1e-9)
    # No piece is turned over, so that equal areas mean that none lies outside or twice.
    assert (pieces @ total >= -1e-9).all()


def test_faces_of_mixed_size_keep_their_corners():
    polygons = Polygons(np.random.default_rng(0).random((9, 3)), np.arange(9), np.array([3, 2, 4]))
    faces = triangulate(polygons)[1]
    assert len(faces) == 3 and set(faces[0]) == {0, 1, 2} and set(faces[1:].ravel()) == {5, 6, 7, 8}
