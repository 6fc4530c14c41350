"""Views of all shapes of a set, rendered once and kept beside the data sets."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

import numpy as np
import tqdm

from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.pictures import renderer
from keras3dgan.pictures.sources import open_source
from keras3dgan.voxels.shape_set import ShapeSet

# Changes whenever pictures would come out differently.
_VERSION = 1
# Where TensorFlow Datasets keeps its own.
_DEFAULT_FOLDER = "~/tensorflow_datasets"


@dataclasses.dataclass(frozen=True)
class PictureSet:
    """Shapes and their views.

    Attributes:
        shapes: the shapes.
        views: uint8 (count, views, s, s, 4), framed, not multiplied by their alpha.

    Example:
        >>> from keras3dgan import data
        >>> shapes = data.load("furniture_voxels", "validation").take(np.arange(2))
        >>> load_views(shapes, "grids", size=32).views.shape
        (2, 12, 32, 32, 4)
    """

    shapes: ShapeSet
    views: np.ndarray

    def __len__(self) -> int:
        return len(self.shapes)


def load_views(shapes: ShapeSet, source: str, size: int, data_dir: str | None = None) -> PictureSet:
    """The views of shapes, rendered or read where that has not been done before.

    Shapes that the source cannot show are left out, and counted in a line.

    Args:
        shapes: the shapes.
        source: as `open_source` takes it.
        size: pixels along an edge.
        data_dir: where data sets are kept; the views go to its folder `views`.

    Raises:
        InputError: no such source, or it shows none of the shapes.
    """
    key = hashlib.sha256(repr((_VERSION, source, size, renderer.DIRECTIONS, shapes.ids.tolist())).encode())
    key.update(shapes.packed.tobytes())
    path = pathlib.Path(data_dir or _DEFAULT_FOLDER).expanduser() / "views" / f"{key.hexdigest()[:16]}.npz"
    if path.is_file():
        with np.load(path) as content:
            return PictureSet(shapes.take(content["rows"]), content["views"])
    opened = open_source(source)
    found: list[np.ndarray] = []
    rows: list[int] = []
    failed: list[str] = []
    for row, name in enumerate(tqdm.tqdm(shapes.ids, desc="views", disable=None)):
        try:
            found.append(opened.views(str(name), shapes.grids(slice(row, row + 1))[0], size))
            rows.append(row)
        except InputError as error:
            failed.append(str(error))
    if not found:
        raise InputError(failed[0])
    if failed:
        print(f"{len(failed)} of {len(shapes)} shapes have no pictures and are left out; the first: {failed[0]}")
    views = np.stack([one[: min(map(len, found))] for one in found])
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, views=views, rows=np.array(rows))
    return PictureSet(shapes.take(np.array(rows)), views)
