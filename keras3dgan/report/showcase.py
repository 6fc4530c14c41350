"""What the shipped models make of furniture that they have never seen: files, meshes, and a page that turns them."""

from __future__ import annotations

import pathlib

import numpy as np

from keras3dgan import codec
from keras3dgan.codec import container
from keras3dgan.codec.goals import Goal
from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.export import shapes_page
from keras3dgan.pictures.framing import on_white, read_picture
from keras3dgan.report import figures
from keras3dgan.report.page import Page
from keras3dgan.voxels import io
from keras3dgan.voxels.grid import iou

_SHOWN, _DRAWN, _BESIDE = 12, 12, 4
_FEW = 30
RECONSTRUCTOR = "vae_gan_furniture_32"


def write(folder: pathlib.Path) -> str:
    """Compresses furniture of the test split, draws new shapes, and makes shapes of pictures; trains nothing.

    Args:
        folder: gets `shapes.html`, and `files/` with each shape as `.g3c` and as the `.glb` that it decodes to.

    Returns:
        A sentence on what was written.
    """
    shapes = bundled.read("test", 32)
    shapes = shapes.take(np.linspace(0, len(shapes) - 1, _SHOWN).astype(int))
    originals, used = shapes.grids(), codec.load()
    exact, few = used.encode(originals), codec.load(codec.DEFAULT, Goal(bytes=_FEW)).encode(originals)
    restored, rough = used.decode(exact), used.decode(few)
    rows, label = [], f"{_FEW} bytes"
    for row, stream in enumerate(exact):
        name = str(shapes.ids[row]).replace("/", "-")
        container.write(folder / "files" / f"{name}.g3c", stream)
        io.write_shape(folder / "files" / f"{name}.glb", restored[row])
        grids = {"original": originals[row], "exact": restored[row], label: rough[row]}
        rows.append(shapes_page.Row(name, grids, {"exact": f"{len(stream)} bytes"}))
    page = Page("Furniture that the codec has never seen")
    quality = iou(originals, rough).mean()
    page.text(
        "The model that ships has learnt ModelNet10, other furniture and thousands of open models. It stores these exactly in "
        f"{_mean(exact):.0f} bytes each, and in {_FEW} bytes with a mean IoU of {quality:.2f}. Drag a shape to turn it."
    )
    page.html(shapes_page.fragment(rows))
    page.heading(f"New shapes, drawn from {codec.DRAWN_FROM}")
    page.html(shapes_page.fragment(_drawn(codec.load(codec.DRAWN_FROM).sample(_DRAWN, seed=1))))
    pictured = _add_pictured(page)
    page.html(shapes_page.assets())
    page.write(folder / "shapes.html")
    same = "every voxel exact" if np.array_equal(restored > 0.5, originals > 0) else "not all voxels exact"
    return (
        f"{_SHOWN} shapes of 32^3 voxels: {_mean(exact):.1f} bytes each, {same}; in {_FEW} bytes IoU "
        f"{quality:.2f}\n{pictured}\n"
        f"Open {folder / 'shapes.html'}: all of them turn, beside new shapes that {codec.DRAWN_FROM} draws."
    )


def _add_pictured(page: Page) -> str:
    """Adds shapes made of pictures of furniture of the test split to a page; a sentence on how good they are."""
    from keras3dgan.models import Reconstructor  # here: Keras takes seconds to import

    reconstructor = Reconstructor.from_preset(RECONSTRUCTOR)
    shapes = bundled.read("test", reconstructor.resolution)
    shapes = shapes.take(np.array([bundled.picture_file(str(each)).is_file() for each in shapes.ids]))
    originals = shapes.grids()
    files = [bundled.picture_file(str(each)) for each in shapes.ids]
    pictures = np.stack([read_picture(file, reconstructor.size) for file in files])
    made = reconstructor.reconstruct(pictures)
    page.heading("Shapes made of one picture each")
    page.text(
        f"{RECONSTRUCTOR} has learnt from pictures of other furniture. Its guesses are rough: over the whole test split they are "
        "slightly ahead of looking up the most similar training shape (docs/reconstruction.md)."
    )
    page.picture(figures.png(figures.shapes([on_white(pictures), made], ["picture", "shape made of it"])), "")
    page.html(
        shapes_page.fragment(
            shapes_page.compared({"original": originals, "of its picture": made}, [f.stem for f in files])
        )
    )
    return f"Shapes made of one picture each, by {RECONSTRUCTOR}: IoU {iou(originals, made).mean():.2f}"


def _mean(streams: list[bytes]) -> float:
    return float(np.mean([len(stream) for stream in streams]))


def _drawn(grids: np.ndarray) -> list[shapes_page.Row]:
    """Rows of some shapes each."""
    return shapes_page.side_by_side({f"shape {place + 1}": grids[place::_BESIDE] for place in range(_BESIDE)})
