"""Turns pictures (.png .jpg) into shapes: meshes (.glb .obj .stl .ply) or grids (.binvox .npy .npz).

keras3dgan reconstruct --model=runs/vae_gan chair.png --output=chair.glb
keras3dgan reconstruct --model=runs/vae_gan --format=stl --output=shapes folder_of_pictures
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from keras3dgan import presets
from keras3dgan.commands import cli
from keras3dgan.commands.items import Item, Tally
from keras3dgan.errors import InputError
from keras3dgan.recipes import offer

if TYPE_CHECKING:
    from keras3dgan.models.reconstructor import Reconstructor

TAKES_FILES = True
READABLE = (".png", ".jpg", ".jpeg")
_SHOWN = 8

cli.add_model("reconstructor")
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of files whose name is not given: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add_overwrite()
cli.add(flags.DEFINE_string, "picture", None, "PNG file to write: pictures as the model sees them, and the shapes")
cli.add(flags.DEFINE_string, "page", None, "HTML page to write: the shapes, which turn")


def main(words: Sequence[str]) -> None:
    """Makes shapes of the pictures and folders that `words` name."""
    from keras3dgan.commands import conversion, file_plan
    from keras3dgan.export.shapes_page import side_by_side, write_shapes_page
    from keras3dgan.pictures.framing import on_white
    from keras3dgan.report import figures
    from keras3dgan.voxels import io

    suffix = io.check_writable(f".{cli.FLAGS.format}")
    items = [
        Item(str(source), source, target)
        for source, target in file_plan.plan(words, cli.FLAGS.output, READABLE, suffix)
    ]
    conversion.check_targets(items, cli.FLAGS.output, cli.FLAGS.overwrite)
    run = presets.get(cli.FLAGS.model, "model")
    shown: list[tuple[np.ndarray, np.ndarray]] = []
    tally = Tally("reconstruct", len(items))
    tally.run(conversion.write_shapes(reconstruct(items, offer(run, "reconstructor")(run), shown)))
    if cli.FLAGS.picture and shown:
        pictures, shapes = zip(*shown, strict=True)
        rows = [on_white(np.stack(pictures)), np.stack(shapes)]
        figures.save(figures.shapes(rows, ("picture", "shape")), cli.FLAGS.picture)
        print(f"see {cli.FLAGS.picture}")
    if cli.FLAGS.page and shown:
        write_shapes_page("Shapes of pictures", side_by_side({"": [shape for _, shape in shown]}), cli.FLAGS.page)
        print(f"see {cli.FLAGS.page}")
    tally.finish()


def reconstruct(
    items: Iterable[Item], model: Reconstructor, shown: list[tuple[np.ndarray, np.ndarray]]
) -> Iterator[Item]:
    """Gives each item the occupancy (n, n, n) of its picture; the first eight pairs are kept in `shown`."""
    from keras3dgan.pictures.framing import read_picture

    for item in items:
        try:
            picture = read_picture(item.source, model.size)
            [item.content] = model.reconstruct(picture[None])
            if len(shown) < _SHOWN:
                shown.append((picture, item.content))
        except InputError as error:
            item.fail(error)
        yield item
