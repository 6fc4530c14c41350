"""Pictures of any size, with a background or without, come out framed alike."""

import numpy as np
import pytest
from PIL import Image

from keras3dgan.errors import InputError
from keras3dgan.pictures.framing import framed, on_white, read_picture


def _object(height=90, width=160):
    """A red bar of 60 x 30 somewhere in a picture."""
    picture = np.zeros((height, width, 4), np.uint8)
    picture[20:80, 100:130] = (200, 0, 0, 255)
    return picture


def test_the_object_is_in_the_middle_and_as_large_as_it_fits():
    view = framed(_object(), 64)
    rows, columns = np.flatnonzero((view[..., 3] > 128).any(1)), np.flatnonzero((view[..., 3] > 128).any(0))
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(31.5, abs=1) == (columns[0] + columns[-1]) / 2
    assert len(rows) == pytest.approx(0.9 * 64, abs=1.5) and len(columns) == pytest.approx(0.45 * 64, abs=1.5)
    assert (view[32, 32] == (200, 0, 0, 255)).all()
    # Touching the border, where the frame reaches beyond the picture.
    edge = framed(_object()[20:80, 100:130], 64)
    assert np.abs(edge.astype(int) - view).max() <= 3
    np.testing.assert_allclose(on_white(view)[0, 0], 1.0)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_plain_background_is_taken_away(tmp_path, suffix):
    picture = np.full((90, 160, 3), (40, 120, 60), np.uint8)
    picture[20:80, 100:130] = (200, 0, 0)
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}", quality=95)
    view = read_picture(tmp_path / f"a.{suffix}", 32)
    expected = framed(_object(), 32)
    assert np.abs(view[..., 3].astype(int) - expected[..., 3]).mean() < 12 and view[16, 16, 0] > 180


def test_a_picture_without_a_plain_border_is_shown_whole(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    view = read_picture(tmp_path / "a.png", 32)
    assert view.shape == (32, 32, 4) and view[4:28, 4:28, 3].min() == 255


def test_grey_palette_and_alpha_are_read(tmp_path):
    for mode in ("L", "LA", "P", "1", "CMYK"):
        path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
        Image.fromarray(_object()).convert("RGBA").convert("RGB").convert(mode).save(path)
        assert read_picture(path, 32).shape == (32, 32, 4)


def test_what_is_no_picture_gets_a_sentence(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    Image.fromarray(_object()).save(tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    Image.new("RGB", (40, 30), (255, 255, 255)).save(tmp_path / "d.png")
    for name, words in (
        ("a.png", "no picture that can be read"),
        ("b.png", "no picture"),
        ("c.png", "no such file"),
        ("d.png", "shows nothing"),
    ):
        with pytest.raises(InputError, match=rf"{name}: {words}") as caught:
            read_picture(tmp_path / name, 32)
        assert "\n" not in str(caught.value)
