"""A metric of several trainings over their steps, as one picture: where each got to, and where it stopped.

python benchmarks/curves.py docs/readings_toilet_curves.png generated_score runs/readings/report runs/readings/momentum
"""

import pathlib
import sys

from keras3dgan.report import figures
from keras3dgan.runs import Run


def main() -> None:
    """Draws a line for each run."""
    picture, metric, *runs = sys.argv[1:]
    lines = {}
    for path in map(pathlib.Path, runs):
        points = [(line["step"], line[metric]) for line in Run(path).metrics() if metric in line]
        lines[path.name.replace("_", " ")] = points
    figures.save(figures.curves({metric.replace("_", " "): lines}, "step", (8, 4.5)), pathlib.Path(picture))
    print(f"wrote {picture}")


if __name__ == "__main__":
    main()
