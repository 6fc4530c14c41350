"""What `benchmarks/claim.sh` found: its table, and its curves of IoU on validation shapes.

python benchmarks/claim.py runs/claim toilet docs/claim_toilet_curves.png
"""

import pathlib
import re
import sys

from result_tables import table

# What a run is called between class and seed -> its decoder, its perceptual term.
KINDS = {
    "scratch_none": ("from scratch", "none"),
    "scratch": ("from scratch", "VoxNet"),
    "finetuned_none": ("pretrained, finetuned", "none"),
    "finetuned": ("pretrained, finetuned", "VoxNet"),
    "deeper": ("pretrained, finetuned", "deeper VoxNet"),
    "frozen": ("pretrained, frozen", "VoxNet"),
}
_RUN = re.compile(r"([a-z]+)_([a-z_]+)_(\d+)")


def claim(content: dict) -> str:
    """The table of a file that `keras3dgan evaluate` wrote about all compressors of a class."""
    found: dict[str, list[dict]] = {kind: [] for kind in KINDS}
    for row in content["codecs"].values():
        if "run" in row:
            outcome = content["trainings"][row["run"]]["last"]
            distance = outcome["val_perceptual_loss"]
            found[_kind(row["run"])].append({**row, "training": outcome["iou"], "distance": distance})
    rows = []
    for kind, titles in KINDS.items():
        if found[kind]:
            # Of the deeper one the distance is between other features.
            distance = "-" if kind == "deeper" else _spread(found[kind], "distance", "{:.1f}")
            sizes = _spread(found[kind], "bytes", "{:.0f}")
            numbers = (_spread(found[kind], "iou"), sizes, _spread(found[kind], "training"), distance)
            rows.append([*titles, str(len(found[kind])), *numbers])
    [name] = content["classes"]
    [pca] = [row for row in content["codecs"].values() if "run" not in row]
    run = next(iter(content["trainings"].values()))
    settings = run["settings"]
    note = (
        f"{name}, {pca['shapes']} shapes of the {content['split']} split; mean, least and most of the seeds; "
        f"width {settings['width']}, {run['steps']:,} steps of {settings['batch_size']} shapes. PCA, {pca['latents']} latents: "
        f"IoU {pca['iou']:.3f} at {pca['bytes']:.0f} bytes."
    )
    columns = (
        "decoder",
        "perceptual term",
        "seeds",
        "IoU",
        "bytes",
        "IoU of training shapes",
        "VoxNet's distance, validation",
    )
    return table(columns, rows, note)


def _kind(run: str) -> str:
    """`finetuned` of `runs/claim/chair_finetuned_0`."""
    match = _RUN.fullmatch(pathlib.Path(run).name)
    return match[2] if match else ""


def _spread(rows: list[dict], key: str, form: str = "{:.3f}") -> str:
    values = [row[key] for row in rows]
    mean, least, most = map(form.format, (sum(values) / len(values), min(values), max(values)))
    return f"{mean} ({least} to {most})"


def main() -> None:
    """Draws a class's runs."""
    import matplotlib.pyplot as plt

    from keras3dgan.report import figures
    from keras3dgan.runs import Run

    runs, name, picture = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    figure, axis = plt.subplots(figsize=(8, 4.5), layout="constrained")
    colors = dict(zip(KINDS, plt.colormaps["tab10"](range(len(KINDS))), strict=True))
    drawn = set()
    for path in sorted(runs.glob(f"{name}_*")):
        kind = _kind(str(path))
        if kind in KINDS:
            points = [(line["step"], line["val_iou"]) for line in Run(path).metrics()]
            label = None if kind in drawn else "; ".join(KINDS[kind])
            drawn.add(kind)
            axis.plot(*zip(*points, strict=True), color=colors[kind], linewidth=1, label=label)
    axis.set(xlabel="step", ylabel="IoU on validation shapes", title=f"{name}: a line for each seed")
    axis.legend(title="decoder; perceptual term", fontsize=8)
    axis.grid(alpha=0.3)
    figures.save(figure, picture)
    print(f"wrote {picture}")


if __name__ == "__main__":
    main()
