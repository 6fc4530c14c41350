"""Writes the tables between the marks in README.md and docs/ from the files in results/, and from those of presets.

python benchmarks/tables.py            rewrites them
python benchmarks/tables.py --check    exit status 1 if one is not what it would write
"""

import json
import pathlib
import re
import sys

import claim
import octree_tables
import result_tables as made

from keras3dgan import presets
from keras3dgan.codec.shipped import octree_file, shipped
from keras3dgan.evaluation import quality

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "BUILD.md", *sorted((ROOT / "docs").glob("*.md")))
_ZOO = re.compile(r"(<!-- presets -->\n).*?(<!-- end -->)", re.DOTALL)
_MARKS = re.compile(r"(<!-- results: (\w+)(?: as (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def zoo() -> str:
    """The table of the models that come with the package, from their `metadata.json`."""
    lines = ["| name | what it does | data, terms | MB | measured | made by |", "|---|---|---|---|---|---|"]
    for name, preset in presets.shipped().items():
        size = sum(path.stat().st_size for path in preset.path.rglob("*") if path.is_file())
        metadata = preset.metadata()
        measured = "; ".join(map(quality.sentence, metadata["quality"]))
        lines.append(_zoo_line(f"[{name}](../keras3dgan/presets/{name}/README.md)", metadata, size, measured))
    for name in shipped():
        path = octree_file(name)
        metadata = json.loads(path.with_suffix(".metadata.json").read_text())
        measured = _lossless(name, _result(metadata["results"]))
        link = f"[{name}](../keras3dgan/codec/shipped/README.md#{name})"
        lines.append(_zoo_line(link, metadata, path.stat().st_size, measured))
    return "\n".join(lines) + "\n"


def _lossless(name: str, content: dict) -> str:
    """The bytes of a shape that an octree model of the package takes."""
    if "held_out" in content:
        sizes = {
            f"{title}, {found['shapes']} test shapes": size
            for title, found in content["held_out"].items()
            for key, size in found["bytes"].items()
            if key.split(" ")[0] == name
        }
        return "; ".join(f"{size:.1f} bytes a shape, every voxel exact ({title})" for title, size in sizes.items())
    subset = content["rate_distortion"]["all"]
    [row] = [row for row in subset["curves"]["this codec"] if row["rate"] == "lossless"]
    return f"{row['bytes']:.1f} bytes a shape, every voxel exact ({subset['shapes']} test shapes)"


def _zoo_line(name: str, metadata: dict, size: int, measured: str) -> str:
    command = metadata["command"]
    command = f"`{command}`" if command.startswith("keras3dgan ") else command
    cells = (name, metadata["task"], f"{metadata['data']}; {metadata['terms']}", f"{size / 1e6:.1f}", measured, command)
    return f"| {' | '.join(cells)} |"


# A key that only one kind of file has.
_BY_CONTENT = {
    "surface_error": made.meshes,
    "reconstruction": made.reconstruction,
    "codec_times": made.codec_times,
    "catalogue": made.web,
    "solids": made.solids,
    "codecs": made.codecs,
    "generators": made.generators,
    "generation": made.drawn_shapes,
    "completion": made.completion,
    "held_out": octree_tables.held_out,
    "growth": octree_tables.growth,
    "step_times": made.backends,
    "load": made.serving,
    "growth_from_1_to_2_workers": made.bulk,
    "torch": made.pytorch,
    "fuzzed": made.fuzzed,
    "kills": made.kills,
    "measurements": made.performance,
}
# Of a file that has several tables: what a mark calls them.
_BY_NAME = {
    "front": octree_tables.front,
    "few": made.few_rows,
    "latents": made.latents,
    "budgets": made.budgets,
    "claim": claim.claim,
}


def fill(text: str) -> str:
    """A page with its tables made anew; which table it is follows from what the file holds."""

    def table(match: re.Match[str]) -> str:
        content = _result(match[2])
        make = _BY_NAME[match[3]] if match[3] else next(make for key, make in _BY_CONTENT.items() if key in content)
        return match[1] + make(content) + match[4]

    return _ZOO.sub(lambda match: match[1] + zoo() + match[2], _MARKS.sub(table, text))


def _result(name: str) -> dict:
    return json.loads((ROOT / "results" / f"{name}.json").read_text())


def main() -> None:
    """Rewrites or checks the pages."""
    for path in PAGES:
        text = path.read_text()
        filled = fill(text)
        if "--check" not in sys.argv:
            path.write_text(filled)
            print(f"wrote {path}")
        elif filled != text:
            sys.exit(f"{path}: its tables are not those of results/; run benchmarks/tables.py")


if __name__ == "__main__":
    main()
