"""Measures a codec on shapes: bytes on disk, IoU, and the two ratios."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from keras3dgan.codec.latent_codec import LatentCodec
from keras3dgan.voxels.grid import iou, packed_size
from keras3dgan.voxels.shape_set import ShapeSet

_CHUNK = 500


def evaluate(codec: LatentCodec, shapes: ShapeSet) -> dict[str, Any]:
    """Compresses and restores every shape.

    Args:
        codec: what to measure.
        shapes: on which shapes.

    Returns:
        `shapes`; `bytes`, mean of a whole stream, header included; `iou`, mean at threshold 0.5, and `iou_median`;
        `latents` and their quantisation `step`; `dimension_ratio`, voxels / latents; `byte_ratio`, packed grid / stream;
        `seconds`; `iou_by_class`.
    """
    begin = time.perf_counter()
    sizes: list[int] = []
    values: list[np.ndarray] = []
    for start in range(0, len(shapes), _CHUNK):
        grids = shapes.grids(slice(start, start + _CHUNK))
        streams = codec.encode(grids)
        sizes += [len(stream) for stream in streams]
        values.append(iou(grids, codec.decode(streams)))
    scores = np.concatenate(values)
    latents = codec.coder.size
    by_class = {
        name: round(float(scores[shapes.labels == label].mean()), 4)
        for label, name in enumerate(shapes.class_names)
        if (shapes.labels == label).any()
    }
    return {
        "shapes": len(shapes),
        "bytes": round(float(np.mean(sizes)), 1),
        "iou": round(float(scores.mean()), 4),
        "iou_median": round(float(np.median(scores)), 4),
        "latents": latents,
        "step": round(codec.coder.step, 5),
        "dimension_ratio": round(shapes.resolution**3 / latents, 1),
        "byte_ratio": round(packed_size(shapes.resolution) / float(np.mean(sizes)), 2),
        "seconds": round(time.perf_counter() - begin, 2),
        "iou_by_class": by_class,
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The measurements as lines of text, best IoU first.

    Args:
        rows: name of the codec -> what `evaluate` gave.
    """
    width = max(len(name) for name in rows)
    lines = [f"{'':{width}}  {'bytes':>7}  {'IoU':>6}  {'dimension ratio':>15}  {'byte ratio':>10}"]
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["iou"]):
        lines.append(
            f"{name:{width}}  {row['bytes']:7.0f}  {row['iou']:6.3f}  {row['dimension_ratio']:15.1f}  {row['byte_ratio']:10.2f}"
        )
    return "\n".join(lines)
