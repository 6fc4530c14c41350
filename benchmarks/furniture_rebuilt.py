"""Lists which grids of the bundled furniture would change if its archive were built anew, and why.

    python benchmarks/furniture_rebuilt.py --source=unpacked/usr/share/sweethome3d/furniture \
        --output=results/furniture_rebuilt.json

`shell`: the only voxels that differ are new ones beside old ones, which the surface enters and which were missed before.
`hollow`: a tenth of the old voxels are gone and hardly any are new, a room that closed parts surround without closing it
themselves. `other`: both, or parts that were closed and filled before.
"""

import argparse
import pathlib
import shlex
import sys
import tempfile
import zipfile

import numpy as np
import tqdm
from scipy import ndimage

from keras3dgan.datasets.furniture_voxels import build_archive, bundled, catalogue
from keras3dgan.provenance import write_result
from keras3dgan.voxels import grid as grids

_HOLLOW, _NEW = 0.1, 0.05


def reason(before: np.ndarray, now: np.ndarray) -> str:
    """Why a grid has changed, in a word."""
    gone, new = before & ~now, now & ~before
    if not (gone | new).any():
        return "same"
    beside = ndimage.binary_dilation(before, np.ones((3, 3, 3)))
    if not gone.any() and not (new & ~beside).any():
        return "shell"
    if gone.sum() > _HOLLOW * before.sum() and (new & ~beside).sum() < _NEW * before.sum():
        return "hollow"
    return "other"


def main() -> None:
    """Compares every grid and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, type=pathlib.Path, help="folder with the .sh3f catalogues")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    size = bundled.RESOLUTIONS[-1]
    with bundled.ARCHIVE.open("rb") as file, np.load(file) as content:
        old = dict(zip(content["ids"].tolist(), content["packed"], strict=True))
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in catalogue.NAMES:
            with zipfile.ZipFile(arguments.source / f"{name}.sh3f") as archive:
                for entry in tqdm.tqdm([e for e in catalogue.read(archive, name) if e.id in old], desc=name):
                    now = build_archive.voxelize_entry(archive, entry, pathlib.Path(folder)).astype(bool)
                    before = grids.unpack(old[entry.id][None], size)[0].astype(bool)
                    score = float(grids.iou(before[None], now[None])[0])
                    rows[entry.id] = {"iou": round(score, 3), "why": reason(before, now)}
    counts = {why: sum(row["why"] == why for row in rows.values()) for why in ("same", "shell", "hollow", "other")}
    content = {"resolution": size, "counts": counts, "changed": {k: v for k, v in rows.items() if v["why"] != "same"}}
    write_result(arguments.output, "python " + shlex.join(sys.argv), content)
    print(f"{counts}; wrote {arguments.output}")


if __name__ == "__main__":
    main()
