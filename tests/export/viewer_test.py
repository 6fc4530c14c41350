"""The viewer and pages with shapes in a headless Chromium: what a person does, and a console without errors."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import trimesh

from keras3dgan import codec
from keras3dgan.codec import archive
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.datasets.furniture_voxels import bundled as furniture
from keras3dgan.errors import InputError
from keras3dgan.export import shapes_page, web_export
from tests.codec.octree_model import random_model
from tests.conftest import boxes, run_command
from tests.export import chromium
from tests.export.range_server import serve

pytestmark = pytest.mark.skipif(
    chromium.PROGRAM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"
)
_DRAWN = "document.querySelectorAll('.card[data-drawn]').length"
# A wall appears within a few seconds on two cores that do little else; tests may run beside much else.
_WALL_SECONDS = 120


@pytest.fixture(scope="module")
def octree32():
    return codec.load("octree32")


@pytest.fixture(scope="module")
def files(octree32, tmp_path_factory):
    """The viewer, an archive of 40 shapes, streams, a damaged one and one of another model."""
    folder = tmp_path_factory.mktemp("viewer")
    shapes = furniture.read("test", 32)
    grids = shapes.grids(slice(0, 40))
    with archive.create(folder / "furniture.g3a", octree32) as writer:
        for name, point in zip(shapes.ids[:40], octree32.choose(grids, archived=True), strict=True):
            writer.add(str(name), point)
    stream = octree32.encode(grids[2])
    (folder / "armchair.g3c").write_bytes(stream)
    (folder / "damaged.g3c").write_bytes(stream[:-3] + b"abc")
    other = random_model(boxes(20))
    foreign = OctreeCodec(other).encode(boxes(1).grids()[0])
    (folder / "foreign.g3c").write_bytes(foreign)
    web_export.write_web_model(other, folder / "other.g3m")
    web_export.write_viewer([octree32.octree], folder / "viewer.html")
    return folder


def _pixels(page, selector):
    """The pixels of a canvas, as a URL."""
    return page.run(f"document.querySelector({json.dumps(selector)}).toDataURL()")


def _status(page):
    return page.run("document.getElementById('status').textContent")


@pytest.mark.parametrize("webgl", [True, False])
def test_the_viewer_from_a_disk(files, tmp_path, webgl):
    with chromium.browser(webgl) as page:
        page.size(1200, 800)
        page.open((files / "viewer.html").as_uri())
        assert page.run("document.body.classList.contains('painted')") is not webgl
        page.drop(files / "furniture.g3a")
        page.wait(f"{_DRAWN} >= 18", _WALL_SECONDS)
        assert _status(page) == "40 shapes" and page.run("document.querySelector('.card .name').title").count("/")
        time.sleep(0.5)
        before = _pixels(page, ".card canvas")
        page.drag(".card canvas", 60, 20)
        page.wait(f"document.querySelector('.card canvas').toDataURL() !== {json.dumps(before)}")
        assert not page.run("document.getElementById('big').open")  # it was turned, not chosen
        page.screenshot(tmp_path / "wall.png")
        assert (tmp_path / "wall.png").stat().st_size > 20_000
        page.drop(files / "armchair.g3c")
        page.wait("document.querySelector('.card .name').textContent === 'armchair.g3c'")
        page.wait("document.querySelector('.card').matches('[data-drawn]')")
        size = (files / "armchair.g3c").stat().st_size
        assert page.run("document.querySelector('.card .note').textContent") == f"{size} bytes"
        page.run("document.getElementById('smooth').click()")
        assert page.problems == []


def test_keys_turn_open_and_close_a_shape_and_save_it(files, octree32, tmp_path):
    with chromium.browser() as page:
        page.size(390, 844, 2, mobile=True)
        page.dark(True)
        page.open((files / "viewer.html").as_uri())
        page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        page.drop(files / "armchair.g3c")
        page.wait(f"{_DRAWN} === 1")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        for _ in range(12):
            if page.run("document.activeElement.className") == "card":
                break
            page.press("Tab")
        before = _pixels(page, ".card canvas")
        page.press("ArrowLeft")
        page.wait(f"document.querySelector('.card canvas').toDataURL() !== {json.dumps(before)}")
        page.press("Enter")
        page.wait("document.getElementById('big').open")
        note = page.run("document.getElementById('big-note').textContent")
        [grid] = octree32.decode([(files / "armchair.g3c").read_bytes()])
        assert f"{int(grid.sum()):,} occupied" in note
        for kind in ("glb", "obj", "g3c"):
            page.run(f"document.getElementById('save-{kind}').click()")
            _wait_for(tmp_path / f"armchair.{kind}")
        assert trimesh.load_mesh(tmp_path / "armchair.glb").volume * 32**3 == pytest.approx(grid.sum(), rel=1e-3)
        assert (tmp_path / "armchair.g3c").read_bytes() == (files / "armchair.g3c").read_bytes()
        page.press("Escape")
        page.wait("!document.getElementById('big').open && document.activeElement.className === 'card'")
        assert page.problems == []


def _wait_for(path):
    end = time.monotonic() + 20
    while not path.exists() or path.stat().st_size == 0:
        assert time.monotonic() < end, f"{path} was not saved"
        time.sleep(0.05)


def test_what_cannot_be_shown_gets_a_sentence(files):
    with chromium.browser() as page:
        page.open((files / "viewer.html").as_uri())
        for name, words in (
            ("damaged.g3c", "checksum"),
            ("foreign.g3c", "Drop that model"),
            ("viewer.html", "not a .g3c"),
        ):
            page.drop(files / name)
            page.wait(f"document.getElementById('status').textContent.includes({json.dumps(words)})")
            assert _status(page).startswith(f"{name}: ")
        page.drop(files / "other.g3m")
        page.wait("document.getElementById('status').textContent.includes('16\u00b3 is ready')")
        page.drop(files / "foreign.g3c")
        page.wait(f"{_DRAWN} === 1")
        assert page.problems == []


def test_a_site_fetches_parts_and_shows_ious(files, octree32, tmp_path):
    web_export.write_site(files / "furniture.g3a", octree32.octree, tmp_path / "site", ious=np.linspace(0.5, 1, 40))
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["index.html", "model.g3m", "shapes.g3a"]
    with serve(tmp_path / "site") as (url, served), chromium.browser() as page:
        page.size(1000, 700)
        page.open(url)
        page.wait(f"{_DRAWN} >= 15", _WALL_SECONDS)
        assert page.run("document.querySelector('.card .note').textContent").endswith("IoU 0.500")
        page.run("document.getElementById('seek').value = 'chair'")
        page.run("document.getElementById('seek').dispatchEvent(new Event('input'))")
        found = page.run("[...document.querySelectorAll('.card .name')].map(line => line.title.toLowerCase())")
        assert found and all("chair" in name for name in found)
        assert page.problems == []
    assert {name for name, _ in served} == {"index.html", "model.g3m", "shapes.g3a"}


def test_a_viewer_may_bring_its_shapes(files, octree32, tmp_path):
    page_path = web_export.write(octree32.octree, tmp_path / "chairs.html", files / "furniture.g3a")
    with chromium.browser() as page:
        page.size(800, 600)
        page.open(f"{page_path.as_uri()}?nowebgl")
        page.wait(f"{_DRAWN} >= 4", _WALL_SECONDS)
        assert page.problems == []


def test_sites_of_what_does_not_belong_together(files, octree32, tmp_path):
    with pytest.raises(InputError, match="written by model"):
        web_export.write(random_model(boxes(20)), tmp_path / "site", files / "furniture.g3a")
    for name, shapes in (("a.onnx", None), ("a.g3m", files / "furniture.g3a"), ("site", None)):
        with pytest.raises(InputError, match="give a .g3m file"):
            web_export.write(octree32.octree, tmp_path / name, shapes)
    with pytest.raises(InputError, match="40 shapes, there are 3 IoUs"):
        web_export.write_site(files / "furniture.g3a", octree32.octree, tmp_path, ious=[1, 1, 1])


@pytest.mark.parametrize("webgl", [True, False])
def test_shapes_in_a_report_turn_together(tmp_path, webgl):
    grids = boxes(6, size=32).grids()
    rows = [
        shapes_page.Row("</script> box", {"original": grids[0], "9 bytes": grids[1], "probabilities": 0.7 * grids[2]}),
        shapes_page.Row("empty", {"original": np.zeros_like(grids[0]), "sample": grids[3]}, {"sample": "invented"}),
    ]
    shapes_page.write_shapes_page("Boxes", rows, tmp_path / "page.html")
    assert len(shapes_page.fragment(rows)) < 2000  # bits, not meshes
    with chromium.browser(webgl) as page:
        page.size(1000, 900)
        page.open((tmp_path / "page.html").as_uri())
        page.wait("document.querySelectorAll('.shapes canvas[data-drawn]').length === 5")
        notes = page.run("[...document.querySelectorAll('figcaption')].map(line => line.textContent)")
        iou = (grids[0] & grids[1]).sum() / (grids[0] | grids[1]).sum()
        assert notes[1] == f"9 bytes IoU {iou:.3f}" and notes[4] == "sample invented"
        time.sleep(0.3)
        before = [page.run(f"document.querySelectorAll('canvas')[{k}].toDataURL()") for k in range(5)]
        page.drag(".shapes canvas", 50, 10)
        page.wait(f"document.querySelectorAll('canvas')[4].toDataURL() !== {json.dumps(before[4])}")
        time.sleep(0.3)
        after = [page.run(f"document.querySelectorAll('canvas')[{k}].toDataURL()") for k in range(5)]
        assert [a != b for a, b in zip(before, after, strict=True)] == [True, True, True, False, True]
        assert page.problems == []


def test_the_report_and_the_page_of_a_run(trained, tmp_path):
    """As the commands write them, from the disk, without a network."""
    run = trained / "autoencoder"
    run_command("report", f"--runs={run}", f"--output={tmp_path}/report.html")
    out = run_command(
        "evaluate", f"--models={run}", f"--output={tmp_path}/r.json", f"--page={tmp_path}/page.html"
    ).stdout
    assert f"{tmp_path}/page.html" in out
    with chromium.browser() as page:
        page.size(1000, 900)
        for name in ("report.html", "page.html"):
            page.open((tmp_path / name).as_uri())
            page.wait("document.querySelectorAll('.shapes canvas').length >= 4")
            page.run(
                "document.querySelector('.shapes canvas').scrollIntoView()"
            )  # they are drawn when they come into view
            page.wait("document.querySelectorAll('.shapes canvas[data-drawn]').length >= 2")
            time.sleep(0.3)
            before = _pixels(page, ".shapes canvas")
            page.drag(".shapes canvas", 50, 10)
            page.wait(f"document.querySelector('.shapes canvas').toDataURL() !== {json.dumps(before)}")
            page.screenshot(tmp_path / f"{name}.png")
        assert page.problems == []
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
