"""Pictures of shapes and curves."""

import io
import itertools
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.layout_engine import ConstrainedLayoutEngine
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from PIL import Image

from keras3dgan.files import replacing
from keras3dgan.voxels import mesh

_COLORS = "#4c78a8 #f58518 #54a24b #b279a2 #e45756 #72b7b2 #eeca3b #ff9da6 #9d755d #bab0ac".split()


def shapes(
    rows: Sequence[np.ndarray], row_titles: Sequence[str] = (), titles: Sequence[str] = (), threshold: float = 0.5
) -> plt.Figure:
    """Draws grids as shaded surfaces, one row of pictures for each set.

    Args:
        rows: sets of grids (count, n, n, n) in [0, 1], z up; or of pictures (count, height, width, 3) in [0, 1].
        row_titles: a name for each row.
        titles: a name for each column.
        threshold: above it a voxel is occupied.
    """
    columns = max(len(row) for row in rows)
    width, height = 1.6 * columns, 1.6 * len(rows) + 0.35 * bool(len(titles))
    margin = 0.6 / width if len(row_titles) else 0.0
    layout = ConstrainedLayoutEngine(rect=(margin, 0, 1 - margin, 1))
    figure = plt.figure(figsize=(width, height), layout=layout)
    for i, row in enumerate(rows):
        for j, grid in enumerate(np.asarray(one) for one in row):
            is_picture = grid.shape[-1] == 3
            place = (len(rows), columns, i * columns + j + 1)
            axes = figure.add_subplot(*place, projection=None if is_picture else "3d")
            if is_picture:
                axes.imshow(grid)
                axes.set_axis_off()
            else:
                _draw(axes, grid, _COLORS[i % len(_COLORS)], threshold)
            if i == 0 and j < len(titles):
                axes.set_title(titles[j], fontsize=8)
            if j == 0 and i < len(row_titles):
                title = textwrap.fill(row_titles[i], 24)
                where: dict[str, Any] = {"transform": axes.transAxes, "rotation": 90, "ha": "right", "va": "center"}
                write = axes.text if is_picture else axes.text2D  # type: ignore[attr-defined]
                write(0, 0.5, title, fontsize=7, **where).set_in_layout(False)
    return figure


def _draw(axes: Axes3D, grid: np.ndarray, color: str, threshold: float) -> None:
    surface = mesh.surface(grid, threshold)
    if len(surface.faces):
        # Shaded by hand: Poly3DCollection's own shading turns surfaces away from the light nearly black.
        shade = 0.55 + 0.45 * (surface.face_normals @ (np.array([0.4, -0.6, 0.7]) / 1.005)).clip(-0.6, 1)
        colors = np.clip(shade[:, None] * np.array(matplotlib.colors.to_rgb(color)) * 1.15, 0, 1)
        axes.add_collection3d(Poly3DCollection(surface.triangles, facecolors=colors, edgecolors=colors, linewidths=0.1))
    else:
        axes.text2D(0.5, 0.5, "empty", transform=axes.transAxes, ha="center", fontsize=8)
    axes.set(xlim=(-0.45, 0.45), ylim=(-0.45, 0.45), zlim=(-0.45, 0.45))
    axes.set_box_aspect((1, 1, 1), zoom=1.35)
    axes.view_init(elev=22, azim=-60)
    axes.set_axis_off()


def curves(
    lines: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]],
    x_label: str = "epoch",
    size: tuple[float, float] = (4, 3),
) -> plt.Figure:
    """Draws one panel for each group of curves.

    Args:
        lines: panel title -> curve name -> (x, y) points.
        x_label: what x counts.
        size: width and height of a panel, in inches.
    """
    panels = {title: group for title, group in lines.items() if group}
    figure, axes = plt.subplots(
        1, max(1, len(panels)), figsize=(size[0] * max(1, len(panels)), size[1]), layout="constrained", squeeze=False
    )
    for axis, (title, group) in zip(axes[0], panels.items(), strict=False):
        for color, (name, points) in zip(itertools.cycle(_COLORS), group.items(), strict=False):
            axis.plot(*zip(*points, strict=True), label=name, color=color, linewidth=1.2)
        axis.set(title=title, xlabel=x_label)
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}  # many names would hide curves
        axis.legend(fontsize=7, **(beside if len(group) > 5 else {}))
        axis.grid(alpha=0.3)
    return figure


def rate_distortion(lines: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]) -> plt.Figure:
    """Draws one panel of IoU against bytes for each group of codecs, on a logarithmic scale of bytes.

    Args:
        lines: panel title -> codec -> (bytes, IoU) points.
    """
    figure, axes = plt.subplots(1, len(lines), figsize=(6 * len(lines), 5.6), layout="constrained", squeeze=False)
    colors = matplotlib.colormaps["tab20"]
    for axis, (title, group) in zip(axes[0], lines.items(), strict=True):
        for index, (name, points) in enumerate(group.items()):
            x, y = zip(*sorted(points), strict=True)
            marker = "o" if len(points) > 1 else "D"
            axis.plot(
                x,
                y,
                marker=marker,
                markersize=4,
                label=name,
                color=colors((2 * index) % 20 + index // 10),
                linewidth=2 - (index > 0),
            )
        axis.set(title=title, xlabel="bytes a shape", ylabel="IoU", xscale="log", ylim=(0, 1.02))
        axis.grid(alpha=0.3, which="both")
    figure.legend(*axes[0][0].get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=3)
    return figure


def surface_error(settings: Mapping[str, Sequence[tuple[float, float]]]) -> plt.Figure:
    """Draws distances between surfaces against bytes, both logarithmic: a point for each setting, a line along the best.

    Args:
        settings: codec -> (bytes, distance in percent of the diagonal).
    """
    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    least = 1e-3  # what is nearer is drawn there
    for color, (name, points) in zip(_COLORS, settings.items(), strict=False):
        best: list[tuple[float, float]] = []
        for size, distance in sorted((size, max(distance, least)) for size, distance in points):
            axis.plot(size, distance, "o", markersize=3, color=color, alpha=0.45)
            if not best or distance < best[-1][1]:
                best.append((size, distance))
        axis.plot(*zip(*best, strict=True), marker="o", markersize=4, label=name, color=color, linewidth=1.5)
    axis.set(xlabel="bytes a mesh, median", ylabel="mean distance, % of the diagonal", xscale="log", yscale="log")
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=8)
    return figure


def save(figure: plt.Figure, path: str | os.PathLike[str]) -> None:
    """Writes a figure as PNG and closes it."""
    with replacing(path) as temporary:
        temporary.write_bytes(png(figure))


def png(figure: plt.Figure) -> bytes:
    """A figure as PNG bytes, in 256 colours, a third of the size; closes it."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(256).save(small, format="png", optimize=True)
    return small.getvalue()
