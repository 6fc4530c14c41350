"""Draws the first picture of the README: furniture of the test split, what few bytes keep of it, new shapes, shapes of pictures.

python benchmarks/readme_picture.py --output=docs/shapes.png
"""

import argparse

import numpy as np

from keras3dgan import codec
from keras3dgan.codec.goals import Goal
from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.models import Reconstructor
from keras3dgan.pictures.build_furniture_pictures import CLASSES
from keras3dgan.pictures.framing import on_white, read_picture
from keras3dgan.report import figures
from keras3dgan.report.showcase import RECONSTRUCTOR
from keras3dgan.voxels.grid import iou

_FEW = 30
_TEMPERATURE = 0.6
_PIXELS = 160


def main() -> None:
    """Writes the picture, and says the bytes in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="the picture, a PNG file")
    arguments = parser.parse_args()
    shapes = bundled.read("test", 32)
    # The first of each class, in the order of their ids.
    rows = np.array([np.flatnonzero(shapes.labels == shapes.class_names.index(name))[0] for name in CLASSES])
    originals, used = shapes.grids(rows), codec.load()
    exact, few = used.encode(originals), codec.load(codec.DEFAULT, Goal(bytes=_FEW)).encode(originals)
    rough = used.decode(few)
    mean = np.mean([len(stream) for stream in exact])
    # The first that comes, not the best of some.
    sampler = codec.load(codec.DRAWN_FROM)
    drawn = [sampler.sample(1, _TEMPERATURE, seed=1, classes=[name])[0] for name in CLASSES]
    titles = [
        "original",
        f"every voxel exact, {mean:.0f} bytes on average",
        f"{_FEW} bytes, IoU {iou(originals, rough).mean():.2f}",
        "new, drawn from a model of furniture",
        "a picture of the original",
        "guessed from that picture alone, by another model",
    ]
    reconstructor = Reconstructor.from_preset(RECONSTRUCTOR)
    files = [bundled.picture_file(str(name)) for name in shapes.ids[rows]]
    made = reconstructor.reconstruct(np.stack([read_picture(file, reconstructor.size) for file in files]))
    shown = on_white(np.stack([read_picture(file, _PIXELS) for file in files]))
    pictures = [originals, used.decode(exact), rough, np.stack(drawn), shown, made]
    captions = [f"{name}, {len(stream)} bytes" for name, stream in zip(CLASSES, exact, strict=True)]
    figures.save(figures.shapes(pictures, titles, captions), arguments.output)
    print(f"wrote {arguments.output}: {', '.join(captions)}")


if __name__ == "__main__":
    main()
