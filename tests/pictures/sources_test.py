"""Views of grids, of catalogues' textured models, of 3D-R2N2's renderings; rendered once."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from keras3dgan.datasets.furniture_voxels import catalogue
from keras3dgan.errors import InputError
from keras3dgan.pictures import picture_set
from keras3dgan.pictures.sources import open_source
from keras3dgan.voxels.shape_set import ShapeSet
from tests.conftest import boxes

_PROPERTIES = """\
id#1=Eteks#box
name#1=Box
category#1=Furniture
model#1=/models/box/box.obj
width#1=100
height#1=25
depth#1=50
"""
_OBJ = """\
mtllib box.mtl
v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1
vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1
usemtl painted
f 5/1 6/2 7/3 8/4
usemtl plain
f 1 2 3 4\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8
"""
_MTL = "newmtl painted\nKd 1 1 1\nmap_Kd paint.png\nnewmtl plain\nKd 0 0 1\n"


def _box(x, y, z):
    grid = np.zeros((32, 32, 32), np.uint8)
    grid[:x, :y, :z] = 1
    return grid


@pytest.fixture
def catalogues(tmp_path):
    """Five catalogues; the first holds a blue box whose front is painted red."""
    folder = tmp_path / "catalogues"
    folder.mkdir()
    Image.new("RGB", (20, 12), (255, 0, 0)).save(tmp_path / "paint.png")
    for name in catalogue.NAMES:
        with zipfile.ZipFile(folder / f"{name}.sh3f", "w") as archive:
            first = name == "Scopia"
            archive.writestr("PluginFurnitureCatalog.properties", _PROPERTIES if first else "")
            if first:
                archive.writestr("models/box/box.obj", _OBJ)
                archive.writestr("models/box/box.mtl", _MTL)
                archive.write(tmp_path / "paint.png", "models/box/paint.png")
    return folder


def test_a_catalogues_model_has_its_colours_and_proportions(catalogues):
    source = open_source(str(catalogues))
    views = source.views("Scopia/box", _box(30, 16, 8), 64)
    seen = views[0, ..., 3] > 128
    # From the front and a little above: 100 wide, 25 high and some of its depth.
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert len(columns) == pytest.approx(0.9 * 64, abs=2) and len(rows) < 0.5 * len(columns)
    red = views[0, 36, 32, :3].astype(int)
    assert red[0] > 100 and red[1:].max() < 20
    blue = views[6, 36, 32, :3].astype(int)  # from behind
    assert blue[2] > 60 and blue[:2].max() < 20
    with pytest.raises(InputError, match="has no model 'Scopia/chair'"):
        source.views("Scopia/chair", np.zeros((32, 32, 32), np.uint8), 64)
    (catalogues / "Scopia.sh3f").unlink()
    with pytest.raises(InputError, match=r"Scopia\.sh3f is missing"):
        open_source(str(catalogues))


def test_a_catalogues_model_is_stretched_as_its_grid_is(catalogues):
    source = open_source(str(catalogues))

    def seen(*extents):
        """Its size from the front and from the right, and the rows."""
        views = source.views("Scopia/box", _box(*extents), 64)[[0, 9], ..., 3] > 128
        return (*views.any(axis=1).sum(axis=1).tolist(), views[0].any(axis=1).sum())

    # The same, though rounded as grids are; then deeper, then higher.
    assert seen(30, 15, 8) == seen(30, 16, 8) == seen(30, 17, 9)
    plain, deep, high = seen(30, 16, 8), seen(30, 22, 8), seen(30, 16, 12)
    assert deep[0] == plain[0] and deep[2] > plain[2], "the top is deeper"
    assert abs(high[0] - plain[0]) <= 1 and high[2] > 1.2 * plain[2]


def test_renderings_of_3d_r2n2(tmp_path):
    folder = tmp_path / "ShapeNetRendering" / "03001627" / "abc" / "rendering"
    folder.mkdir(parents=True)
    for number in range(3):
        picture = np.zeros((137, 137, 4), np.uint8)
        picture[40:90, 50:80] = (10 + 60 * number, 0, 0, 255)
        Image.fromarray(picture).save(folder / f"{number:02d}.png")
    (folder / "rendering_metadata.txt").write_text("")
    source = open_source(str(tmp_path / "ShapeNetRendering"))
    views = source.views("03001627/abc", np.zeros((32, 32, 32), np.uint8), 32)
    assert views.shape == (3, 32, 32, 4) and views[:, 16, 16, 0].tolist() == [10, 70, 130]
    with pytest.raises(InputError, match="holds no pictures"):
        source.views("03001627/def", np.zeros((32, 32, 32), np.uint8), 32)


def test_what_is_no_source_gets_a_sentence(tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        open_source(str(tmp_path / "none"))
    with pytest.raises(InputError, match="holds no <synset>/<model>/rendering"):
        open_source(str(tmp_path))


def test_views_are_rendered_once(tmp_path, monkeypatch):
    shapes = boxes(3)
    first = picture_set.load_views(shapes, "grids", 32, str(tmp_path))
    assert first.views.shape == (3, 12, 32, 32, 4) and len(first) == 3
    monkeypatch.setattr(picture_set, "open_source", lambda words: pytest.fail("rendered again"))
    np.testing.assert_array_equal(picture_set.load_views(shapes, "grids", 32, str(tmp_path)).views, first.views)
    with pytest.raises(pytest.fail.Exception):
        picture_set.load_views(boxes(3, seed=1), "grids", 32, str(tmp_path))


def test_shapes_without_pictures_are_left_out_and_counted(tmp_path, catalogues, capsys):
    shapes = boxes(2)
    shapes = ShapeSet(shapes.packed, shapes.labels, np.array(["gone", "Scopia/box"]), shapes.class_names, 16)
    found = picture_set.load_views(shapes, str(catalogues), 32, str(tmp_path))
    assert found.shapes.ids.tolist() == ["Scopia/box"] and "1 of 2 shapes have no pictures" in capsys.readouterr().out
    with pytest.raises(InputError, match="has no model 'gone'"):
        picture_set.load_views(shapes.take(np.array([0])), str(catalogues), 32, str(tmp_path))
