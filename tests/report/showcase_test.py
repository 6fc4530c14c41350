"""What the demo shows first: files, a page, and shapes made of the pictures that come with the package."""

import re

from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.report import showcase


def test_what_ships_at_work(tmp_path):
    said = showcase.write(tmp_path)
    assert "every voxel exact" in said and str(tmp_path / "shapes.html") in said
    assert float(re.search(r"of one picture each, by \S+: IoU (0\.\d\d)", said).group(1)) > 0.2
    assert {path.suffix for path in (tmp_path / "files").iterdir()} == {".g3c", ".glb"}
    page = (tmp_path / "shapes.html").read_text()
    for path in bundled.PICTURES.iterdir():
        assert path.stem in page


def test_the_pictures_are_of_the_test_split():
    named = {bundled.picture_file(str(name)) for name in bundled.read("test", 32).ids}
    assert len(list(bundled.PICTURES.glob("*.png"))) == 7 and named >= set(bundled.PICTURES.glob("*.png"))
