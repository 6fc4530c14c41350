"""Writes the tables between the marks in README.md from the files in results/.

python benchmarks/tables.py            rewrites README.md
python benchmarks/tables.py --check    exit status 1 if README.md is not what it would write
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
_MARKS = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def codecs(name: str) -> str:
    """The table of a file that `keras3dgan evaluate` wrote."""
    content = json.loads((ROOT / "results" / f"{name}.json").read_text())
    lines = ["| codec | IoU | bytes on disk | dimension ratio | byte ratio |", "|---|---|---|---|---|"]
    for codec, row in sorted(content["codecs"].items(), key=lambda item: -item[1]["iou"]):
        lines.append(
            f"| {codec} | {row['iou']:.3f} | {row['bytes']:.0f} | {row['dimension_ratio']:.1f} | {row['byte_ratio']:.1f} |"
        )
    runs = content["trainings"]
    shapes = next(iter(content["codecs"].values()))["shapes"]
    times = ", ".join(
        f"{pathlib.Path(path).name} {run['steps']} steps in {run['seconds'] / 60:.0f} min" for path, run in runs.items()
    )
    hardware = content["hardware"]
    note = f"{shapes} shapes of the {content['split']} split; trained on {hardware['cores']} cores: {times}."
    for run in runs.values():
        if run["kind"] == "voxnet":
            note += f" VoxNet accuracy {run['test_accuracy']:.1%}."
    return "\n".join([*lines, "", note]) + "\n"


def performance(name: str) -> str:
    """The table of the file that `benchmarks/measure.py` wrote."""
    content = json.loads((ROOT / "results" / f"{name}.json").read_text())
    lines = ["| measurement | result | peak memory |", "|---|---|---|"]
    for label, row in content["measurements"].items():
        values = {k: v for k, v in row.items() if k not in ("peak_memory_mib", "seconds", "source", "meshes")}
        text = ", ".join(_phrase(key, value) for key, value in values.items())
        lines.append(f"| {label} | {text} | {row['peak_memory_mib']} MiB |")
    hardware = content["hardware"]
    return "\n".join([*lines, "", f"{hardware['cores']} cores of {hardware['cpu']}, batch 100, 32^3."]) + "\n"


def _phrase(key: str, value: float) -> str:
    """`meshes_per_second_32`, 14.7 as "14.7 meshes/s (32)"; `encode_ms_batch_1`, 1.9 as "encode 1.9 ms (batch 1)"."""
    if "_per_second" in key:
        what, _, detail = key.partition("_per_second")
        return f"{value:,} {what.replace('_', ' ')}/s" + (f" ({detail.strip('_')})" if detail else "")
    what, _, detail = key.partition("_ms")
    detail = f" ({detail.strip('_').replace('_', ' ')})" if detail else ""
    return f"{what} {value} ms{detail}"


def fill(text: str) -> str:
    """README.md with its tables made anew."""

    def table(match: re.Match[str]) -> str:
        make = performance if match[2] == "performance" else codecs
        return match[1] + make(match[2]) + match[3]

    return _MARKS.sub(table, text)


def main() -> None:
    """Rewrites or checks README.md."""
    path = ROOT / "README.md"
    text = path.read_text()
    filled = fill(text)
    if "--check" in sys.argv:
        sys.exit(0 if filled == text else "README.md: its tables are not those of results/; run benchmarks/tables.py")
    path.write_text(filled)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
