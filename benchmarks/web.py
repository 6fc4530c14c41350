"""How long decoding takes in a browser and in Node, beside numba; and how soon the viewer shows a wall and a catalogue.

    python benchmarks/web.py --output=results/web.json [--shapes=100]
    python benchmarks/web.py --pictures=docs

Needs Node and Chromium. Decoding is timed all in turn, on one core; the viewer draws WebGL in software.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from keras3dgan import codec  # noqa: E402
from keras3dgan.codec import archive  # noqa: E402
from keras3dgan.datasets.furniture_voxels import bundled as furniture  # noqa: E402
from keras3dgan.export import shapes_page, web_export  # noqa: E402
from keras3dgan.provenance import write_result  # noqa: E402
from tests.export import chromium  # noqa: E402
from tests.export.catalogue import BLOCKS, write_catalogue  # noqa: E402
from tests.export.range_server import serve  # noqa: E402

_TURNS = 5
_WALL = 200
# Milliseconds of the processor a shape, the code warm.
_TIMES = """
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const model = await loadModel(bytes(content.model));
const streams = content.streams.map(bytes);
const all = () => streams.forEach((stream) => decode(stream, model));
all();
"""


def decode_times(model: str, count: int, page: chromium.Browser, folder: pathlib.Path, url: str) -> dict[str, object]:
    """Milliseconds a shape of numba, Node and Chromium: least and median of five turns, and ratios to numba.

    Of the processor, not of the clock: others may be at work.
    """
    used = codec.load(model)
    streams = used.encode(furniture.read("test", used.resolution).grids(slice(0, count)))
    packed = [base64.b64encode(content).decode() for content in (web_export.web_model(used.octree), *streams)]
    (folder / f"{model}.json").write_text(json.dumps({"model": packed[0], "streams": packed[1:]}))
    page.open(f"{url}/empty.html")
    taken: dict[str, list[float]] = {"numba": [], "node": [], "chromium": []}
    used.decode(streams[0])
    for _ in range(_TURNS):
        begin = time.process_time()
        for stream in streams:
            used.decode(stream)
        taken["numba"].append(1000 * (time.process_time() - begin) / len(streams))
        done = subprocess.run(["node", folder / "times.mjs", folder / f"{model}.json"], capture_output=True, check=True)
        taken["node"].append(float(done.stdout))
        content = f"await (await fetch('{url}/{model}.json')).json()"
        modules = f"const {{ decode, loadModel }} = await import('{url}/decoder.js');"
        page.run(f"(async () => {{ {modules} const content = {content}; {_TIMES} window.all = all; }})()")
        begin = page.processor_seconds()
        page.run("all()")
        taken["chromium"].append(1000 * (page.processor_seconds() - begin) / len(streams))
    return {
        "shapes": count,
        "bytes": round(float(np.mean([len(stream) for stream in streams])), 1),
        "least_ms": {name: round(min(times), 2) for name, times in taken.items()},
        "median_ms": {name: round(statistics.median(times), 2) for name, times in taken.items()},
        "ratio_to_numba": {name: round(min(times) / min(taken["numba"]), 2) for name, times in taken.items()},
    }


def wall(page: chromium.Browser, folder: pathlib.Path) -> dict[str, object]:
    """Seconds from dropping an archive to its first shape and to all of them, and the longest that the page was busy."""
    used = codec.load(codec.DEFAULT)
    grids = np.concatenate([furniture.read(split, 32).grids() for split in ("test", "validation")])[:_WALL]
    with archive.create(folder / "wall.g3a", used) as writer:
        for row, point in enumerate(used.choose(grids, archived=True)):
            writer.add(f"furniture/{row}", point)
    web_export.write_viewer([used.octree], folder / "viewer.html")
    page.size(1920, 7900)  # so high that all are in sight
    page.open((folder / "viewer.html").as_uri())
    time.sleep(2)  # a person drops files once the page stands
    page.run("tasks = []; new PerformanceObserver(l => tasks.push(...l.getEntries())).observe({type: 'longtask'}); 0")
    page.drop(folder / "wall.g3a")
    first = page.wait("document.querySelectorAll('.card[data-drawn]').length >= 1", 60)
    rest = page.wait(f"document.querySelectorAll('.card[data-drawn]').length === {_WALL}", 60)
    return {
        "shapes": _WALL,
        "archive_bytes": (folder / "wall.g3a").stat().st_size,
        "page_bytes": (folder / "viewer.html").stat().st_size,
        "first_seconds": round(first, 2),
        "all_seconds": round(first + rest, 2),
        "longest_task_ms": round(page.run("Math.max(0, ...tasks.map(task => task.duration))")),
    }


def catalogue(page: chromium.Browser, folder: pathlib.Path) -> dict[str, object]:
    """Seconds until a site of 100,000 shapes shows the first ones, and what it fetched."""
    used = codec.load(codec.DEFAULT)
    block = used.octree.encode(furniture.read("test", 32).grids(slice(0, 16)))
    write_catalogue(folder / "all.g3a", used.octree, block)
    web_export.write_site(folder / "all.g3a", used.octree, folder / "site")
    page.size(1200, 800)
    with serve(folder / "site") as (url, served):
        begin = time.perf_counter()
        page.open(url)
        page.wait("document.querySelectorAll('.card[data-drawn]').length >= 12", 60)
        seconds = time.perf_counter() - begin
    parts = [size for name, size in served if name == "shapes.g3a"]
    return {
        "shapes": 16 * BLOCKS,
        "archive_bytes": (folder / "all.g3a").stat().st_size,
        "seconds": round(seconds, 2),
        "requests": len(parts),
        "fetched_bytes": sum(parts),
    }


def pictures(output: pathlib.Path, folder: pathlib.Path) -> None:
    """Saves what a person sees: wall, large view, phone, and a report."""
    used, shapes = codec.load(codec.DEFAULT), furniture.read("test", 32)
    rows = np.flatnonzero(shapes.labels == shapes.class_names.index("chair"))[:12]
    chosen = shapes.take(np.concatenate([rows, np.setdiff1d(np.arange(60), rows)]))
    with archive.create(folder / "furniture.g3a", used) as writer:
        for name, point in zip(chosen.ids, used.choose(chosen.grids(), archived=True), strict=True):
            writer.add(str(name), point)
    web_export.write_viewer([used.octree], folder / "viewer.html")
    with chromium.browser() as page:
        page.size(1180, 760)
        _show(page, folder)
        page.screenshot(output / "web_wall.png")
        page.run("document.getElementById('smooth').click()")
        page.run("document.querySelectorAll('.card')[0].click()")
        time.sleep(2)
        page.run("document.activeElement.blur()")
        page.screenshot(output / "web_large.png")
    with chromium.browser() as page:
        page.size(390, 760, 1, mobile=True)
        page.dark(True)
        _show(page, folder)
        page.screenshot(output / "web_phone.png")
    report = []
    for row in (1, 3, 5):
        grids = {"original": chosen.grids()[row]}
        for size in (9, 20, 40):  # at most
            [stream] = codec.load(codec.DEFAULT, goal=codec.Goal(bytes=size)).encode(grids["original"][None])
            grids[f"{size} bytes"] = used.decode(stream)
        report.append(shapes_page.Row(str(chosen.ids[row]), grids))
    shapes_page.write_shapes_page("Reconstructions", report, folder / "report.html")
    with chromium.browser() as page:
        page.size(900, 960)
        page.open((folder / "report.html").as_uri())
        page.wait("document.querySelectorAll('canvas[data-drawn]').length >= 12", 60)
        time.sleep(1)
        page.screenshot(output / "web_report.png")


def _show(page: chromium.Browser, folder: pathlib.Path) -> None:
    page.open((folder / "viewer.html").as_uri())
    page.drop(folder / "furniture.g3a")
    page.wait("document.querySelectorAll('.card[data-drawn]').length >= 8", 60)
    time.sleep(3)


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="results/web.json", help="JSON file to write")
    parser.add_argument("--pictures", help="folder to which screenshots are saved instead of measuring")
    parser.add_argument("--shapes", type=int, default=100, help="shapes of 32^3 that are timed; of 64^3 a fifth")
    arguments = parser.parse_args()
    if arguments.pictures:
        with tempfile.TemporaryDirectory() as name:
            pictures(pathlib.Path(arguments.pictures), pathlib.Path(name))
        return
    load = os.getloadavg()[0]
    content: dict[str, object] = {"load_before": round(load, 1)}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in web_export.WEB.glob("*.js"):
            shutil.copy(path, folder)
        (folder / "empty.html").write_text("<!doctype html><title>times</title><link rel='icon' href='data:,'>")
        script = (
            f"const content = JSON.parse(readFileSync(process.argv[2]));{_TIMES}const begin = process.cpuUsage();all();"
            "const { user, system } = process.cpuUsage(begin);console.log((user + system) / 1000 / streams.length);"
        )
        imports = "import { readFileSync } from 'node:fs';import { decode, loadModel } from './decoder.js';"
        (folder / "times.mjs").write_text(imports + script)
        (folder / "package.json").write_text('{"type": "module"}')
        with serve(folder) as (url, _), chromium.browser() as page:
            for model, count in (("octree32", arguments.shapes), ("octree64", -(-arguments.shapes // 5))):
                content[model] = decode_times(model, count, page, folder, url)
        with chromium.browser() as page:
            content["wall"] = wall(page, folder)
        with chromium.browser() as page:
            content["catalogue"] = catalogue(page, folder)
    content["versions_of_engines"] = {
        "node": subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip(),
        "chromium": subprocess.run([str(chromium.PROGRAM), "--version"], capture_output=True, text=True).stdout.strip(),
    }
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
