"""Folders of shapes with a picture and a page of them."""

from __future__ import annotations

import pathlib

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels import io

_PICTURED = 16


def write(occupancy: np.ndarray, folder: pathlib.Path, form: str) -> None:
    """Writes shapes (count, n, n, n) in [0, 1] into a folder, with a picture where matplotlib is, and a page; says where.

    Raises:
        InputError: the format is unknown, or the folder is called like a file of shapes.
    """
    from keras3dgan.export.shapes_page import Row, write_shapes_page

    io.check_writable(f".{form}")
    if folder.suffix.lower() in io.WRITABLE and not folder.is_dir():
        raise InputError(f"{folder} names a file, and several shapes are written; name a folder.", "output")
    before = {path.name for path in folder.glob("shape-*")}
    kept = []
    for index, shape in enumerate(occupancy):
        if shape.max() > 0.5:
            name = f"shape-{index:04d}"
            io.write_shape(folder / f"{name}.{form}", shape)
            kept.append(Row(name, {"": shape}))
    left_out = f" ({len(occupancy) - len(kept)} empty ones left out)" if len(kept) < len(occupancy) else ""
    if kept:
        write_shapes_page("Generated shapes", kept[:_PICTURED], folder / "shapes.html")
    others = len(before - {f"{row.name}.{form}" for row in kept})
    left_out += f" beside {others} files of earlier ones" if others else ""
    seen = f"; see {folder / 'shapes.html'}" if kept else ""
    print(f"{folder}: {len(kept)} shapes{left_out}{seen}{_picture(occupancy[:_PICTURED], folder)}")


def _picture(shown: np.ndarray, folder: pathlib.Path) -> str:
    """Draws shapes; the end of a sentence about where."""
    try:
        from keras3dgan.report import figures
    except ModuleNotFoundError:  # matplotlib comes with training; the page is there without it
        return ""
    figures.save(figures.shapes([shown[i : i + 8] for i in range(0, len(shown), 8)]), folder / "shapes.png")
    return f" and {folder / 'shapes.png'}"
