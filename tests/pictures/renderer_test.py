"""Rendering: the right side of an object, its colours and its outline."""

import numpy as np
import pytest
import trimesh

from keras3dgan.pictures.renderer import DIRECTIONS, Renderer, Surface, surfaces_of_grid
from tests.conftest import corner_shape


@pytest.fixture(scope="module")
def renderer():
    return Renderer(64)


def _slab(low, high, color):
    mesh = trimesh.creation.box(bounds=[low, high])
    return Surface(mesh, color)


def test_azimuth_and_elevation(renderer):
    """A red slab towards -y, green towards +x, blue on top."""
    slabs = [
        _slab((-0.4, -0.5, -0.4), (0.4, -0.45, 0.4), (1.0, 0.0, 0.0)),
        _slab((0.45, -0.4, -0.4), (0.5, 0.4, 0.4), (0.0, 1.0, 0.0)),
        _slab((-0.4, -0.4, 0.45), (0.4, 0.4, 0.5), (0.0, 0.0, 1.0)),
    ]
    front, right, above = renderer.views(slabs, [(0, 0), (90, 0), (0, 89)])
    for view, channel in ((front, 0), (right, 1), (above, 2)):
        middle = view[28:36, 28:36, :3].reshape(-1, 3).mean(axis=0)
        assert middle.argmax() == channel and middle[channel] > 100 and np.delete(middle, channel).max() < 10
    assert (front[0, 0] == 0).all() and front[32, 32, 3] == 255


def test_up_is_up_and_left_is_left(renderer):
    # Something on top of the left half, as seen from the front.
    parts = [_slab((-0.5, -0.1, -0.5), (0.5, 0.1, 0), (1, 1, 1)), _slab((-0.5, -0.1, 0), (0, 0.1, 0.5), (1, 1, 1))]
    [view] = renderer.views(parts, [(0, 0)])
    seen = view[..., 3] > 128
    assert seen[20, 26] and not seen[20, 38] and seen[40, 26] and seen[40, 38]


def test_textures_and_both_sides(renderer):
    square = trimesh.Trimesh([[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5], [-0.5, 0, 0.5]], [[0, 1, 2], [0, 2, 3]])
    image = np.zeros((10, 30, 3), np.uint8)  # no power of two
    image[:, :15] = (255, 0, 0)
    image[:, 15:] = (0, 0, 255)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    front, behind = renderer.views([Surface(square, (1.0, 1.0, 1.0), uv, image)], [(0, 0), (180, 0)])
    assert front[32, 26, :3].argmax() == 0 and front[32, 38, :3].argmax() == 2
    assert behind[32, 26, :3].argmax() == 2 and behind[32, 38, 0] > 100


def test_a_view_is_the_same_every_time_and_another_from_each_side(renderer):
    surfaces = surfaces_of_grid(corner_shape())
    views = renderer.views(surfaces)
    assert views.shape == (len(DIRECTIONS), 64, 64, 4) and views.dtype == np.uint8
    np.testing.assert_array_equal(views, renderer.views(surfaces))
    assert len({view.tobytes() for view in views}) == len(views)
    assert (renderer.views(surfaces_of_grid(np.zeros((8, 8, 8), np.uint8)))[..., 3] == 0).all()
