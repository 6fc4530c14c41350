"""How long decoding takes in a browser and in Node, beside numba; and how soon the viewer shows a wall and a catalogue.

    python benchmarks/web.py --output=results/web.json [--shapes=100]

Needs Node and Chromium. Decoding is timed on one core, all in turn; the viewer has all of them, and draws WebGL in software.
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
from keras3dgan.datasets.furniture_voxels import archive as furniture  # noqa: E402
from keras3dgan.export import web_export  # noqa: E402
from keras3dgan.training.run_directory import write_result  # noqa: E402
from tests.export import chromium  # noqa: E402
from tests.export.catalogue import BLOCKS, write_catalogue  # noqa: E402
from tests.export.range_server import serve  # noqa: E402

_TURNS = 5
_WALL = 200
# Milliseconds a shape, the code warm.
_TIMES = """
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const model = await loadModel(bytes(content.model));
const streams = content.streams.map(bytes);
for (const stream of streams) decode(stream, model);
const begin = performance.now();
for (const stream of streams) decode(stream, model);
const answer = (performance.now() - begin) / streams.length;
"""


def decode_times(model: str, count: int, page: chromium.Browser, folder: pathlib.Path, url: str) -> dict[str, object]:
    """Milliseconds a shape of numba, Node and Chromium: the least and the median of five turns, and ratios to numba."""
    used = codec.load(model)
    streams = used.encode(furniture.read("test", used.resolution).grids(slice(0, count)))
    packed = [base64.b64encode(content).decode() for content in (web_export.web_model(used.octree), *streams)]
    (folder / f"{model}.json").write_text(json.dumps({"model": packed[0], "streams": packed[1:]}))
    page.open(f"{url}/empty.html")
    taken: dict[str, list[float]] = {"numba": [], "node": [], "chromium": []}
    used.decode(streams[0])
    for _ in range(_TURNS):
        begin = time.perf_counter()
        for stream in streams:
            used.decode(stream)
        taken["numba"].append(1000 * (time.perf_counter() - begin) / len(streams))
        done = subprocess.run(["node", folder / "times.mjs", folder / f"{model}.json"], capture_output=True, check=True)
        taken["node"].append(float(done.stdout))
        content = f"await (await fetch('{url}/{model}.json')).json()"
        modules = f"const {{ decode, loadModel }} = await import('{url}/decoder.js');"
        script = f"{modules} const content = {content}; {_TIMES} return answer;"
        taken["chromium"].append(page.run(f"(async () => {{ {script} }})()"))
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


def main() -> None:
    """Measures and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--shapes", type=int, default=100, help="shapes of 32^3 that are timed; of 64^3 a fifth")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    cores = os.sched_getaffinity(0)
    content: dict[str, object] = {"load_before": round(load, 1)}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in web_export.WEB.glob("*.js"):
            shutil.copy(path, folder)
        (folder / "empty.html").write_text("<!doctype html><title>times</title><link rel='icon' href='data:,'>")
        script = f"const content = JSON.parse(readFileSync(process.argv[2]));{_TIMES}console.log(answer);"
        imports = "import { readFileSync } from 'node:fs';import { decode, loadModel } from './decoder.js';"
        (folder / "times.mjs").write_text(imports + script)
        (folder / "package.json").write_text('{"type": "module"}')
        os.sched_setaffinity(0, {min(cores)})
        with serve(folder) as (url, _), chromium.browser() as page:
            for model, count in (("octree32", arguments.shapes), ("octree64", -(-arguments.shapes // 5))):
                content[model] = decode_times(model, count, page, folder, url)
        os.sched_setaffinity(0, cores)
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
