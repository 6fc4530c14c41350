"""Renders `datasets/furniture_voxels/pictures`: some models of the test split with their textures.

    python -m keras3dgan.pictures.build_furniture_pictures unpacked/usr/share/sweethome3d/furniture

Only whoever changes the pictures needs to run it; its result comes with the package.
"""

import sys

import numpy as np
from PIL import Image

from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.pictures.renderer import DIRECTIONS
from keras3dgan.pictures.sources import open_source

# The first of each class, in the order of their ids: not chosen by what comes of them.
CLASSES = ("chair", "sofa", "table", "bed", "lamp", "storage", "plant")
_SIZE = 160
# From the left front, a little above.
_VIEW = DIRECTIONS.index((30, 30))


def main(folder: str) -> None:
    """Writes a picture of each, on nothing."""
    source, shapes = open_source(folder), bundled.read("test", 32)
    bundled.PICTURES.mkdir(exist_ok=True)
    for name in CLASSES:
        row = int(np.flatnonzero(shapes.labels == shapes.class_names.index(name))[0])
        view = source.views(str(shapes.ids[row]), shapes.grids(row), _SIZE)[_VIEW]
        path = bundled.picture_file(str(shapes.ids[row]))
        Image.fromarray(view).quantize(64).save(path, optimize=True)
        print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1])
