"""Shapes that turn, in a page that needs no other: original and reconstructions beside each other, linked cameras.

    page.parts.append(shapes_page.fragment(rows) + shapes_page.assets())

The page holds bits, not meshes: a shape of 32^3 takes some hundred bytes; what draws them takes 0.6 MB once.
"""

from __future__ import annotations

import base64
import html
import os
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras3dgan.export.web_export import WEB, as_json, bundle, library
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as voxels


class Row(NamedTuple):
    """Grids of one object.

    Attributes:
        name: of the object.
        grids: (n, n, n) each, occupied above 0.5, by what to call them; others are compared with the first.
        notes: what to say of a grid, by the same names, instead of its IoU with the first.
    """

    name: str
    grids: Mapping[str, np.ndarray]
    notes: Mapping[str, str] = {}


def compared(kinds: Mapping[str, Sequence[np.ndarray]], names: Sequence[str] = ()) -> list[Row]:
    """A row for each object: of every kind its grid, with the IoU of those behind the first.

    Args:
        kinds: what to call them -> grids (n, n, n), as many of each.
        names: of the objects; default: their numbers.
    """
    count = len(next(iter(kinds.values())))
    titles = names or [str(number + 1) for number in range(count)]
    return [Row(title, {kind: grids[i] for kind, grids in kinds.items()}) for i, title in enumerate(titles)]


def side_by_side(kinds: Mapping[str, Sequence[np.ndarray]]) -> list[Row]:
    """As `compared`, of grids that have nothing to do with each other."""
    return [row._replace(notes=dict.fromkeys(row.grids, "")) for row in compared(kinds)]


def fragment(rows: Sequence[Row]) -> str:
    """HTML of a section; the page must also hold `assets`, once.

    Args:
        rows: one an object, grids of one size.
    """
    grids = np.stack([grid > 0.5 for row in rows for grid in row.grids.values()])
    told = [{"name": row.name, "cells": _cells(row)} for row in rows]
    bits = base64.b64encode(zlib.compress(voxels.pack(grids).tobytes(), 9)).decode()
    content = as_json({"resolution": grids.shape[-1], "bits": bits, "rows": told})
    return (
        f'<section class="shapes"><script type="application/json">{content}</script>'
        "<noscript><p>Shapes are drawn by JavaScript, which is switched off.</p></noscript></section>"
    )


def _cells(row: Row) -> list[dict[str, str]]:
    first = next(iter(row.grids.values()))
    cells = []
    for place, (label, grid) in enumerate(row.grids.items()):
        note = "" if place == 0 else f"IoU {voxels.iou(first[None], grid[None])[0]:.3f}"
        cells.append({"label": label, "note": row.notes.get(label, note)})
    return cells


def assets() -> str:
    """Style and scripts that draw every `fragment` of a page; put them behind the last."""
    style = (WEB / "shapes.css").read_text()
    return f"<style>{style}</style><script>{library()}</script><script>{bundle('shapes.js')}</script>"


def write_shapes_page(title: str, rows: Sequence[Row], path: str | os.PathLike[str]) -> None:
    """Writes a page with one section of shapes.

    Args:
        title: its heading.
        rows: one an object.
        path: of the page.
    """
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="icon" href="data:,">'
        "<style>:root { color-scheme: light dark; } "
        "body { font: 16px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; }</style>"
    )
    body = f"<h1>{html.escape(title)}</h1>{fragment(rows)}{assets()}"
    with replacing(path) as temporary:
        temporary.write_text(f"<!doctype html><html lang='en'><head>{head}</head><body>{body}</body></html>")
