import io

import numpy as np
from PIL import Image

from keras3dgan.report import figures
from keras3dgan.report.page import Page
from tests.conftest import boxes


def _pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figures.png(figure))).convert("RGB"))


def test_shapes_are_drawn_and_empty_ones_say_so():
    grids = boxes(3).grids()
    drawn = _pixels(figures.shapes([grids, np.zeros_like(grids)], ["boxes", "nothing"], ["a", "b", "c"]))
    half = len(drawn) // 2
    colored = (drawn.max(axis=2).astype(int) - drawn.min(axis=2)) > 40
    assert colored[:half].mean() > 0.05 and colored[half:].mean() < 0.005


def test_curves_draw_every_line():
    points = [(0, 0.0), (1, 1.0)]
    figure = figures.curves({"losses": {"a": points, "b": points[::-1]}, "none": {}})
    assert [len(axis.lines) for axis in figure.axes] == [2]
    assert _pixels(figure).std() > 1


def test_the_line_of_surface_errors_goes_along_the_best_settings():
    figure = figures.surface_error({"a": [(10, 2.0), (30, 3.0), (20, 1.0), (40, 0.0)], "b": [(100, 0.5)]})
    lines = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].get_lines()}
    assert lines["a"] == [[10, 2], [20, 1], [40, 1e-3]] and lines["b"] == [[100, 0.5]]
    figures.png(figure)


def test_a_page_escapes_text_and_embeds_pictures(tmp_path):
    page = Page("<shapes>")
    page.heading("a & b")
    page.table(("name", "x"), [("<i>", 1)])
    page.picture(b"png", "caption")
    page.write(tmp_path / "deep" / "page.html")
    text = (tmp_path / "deep" / "page.html").read_text()
    assert (
        "&lt;shapes&gt;" in text and "<i>" not in text and "a &amp; b" in text and "data:image/png;base64,cG5n" in text
    )
