"""Measures codecs on shapes never trained on: bytes on disk, IoU, and the two ratios."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from keras3dgan import data
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.latent.latent_codec import LatentCodec
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.evaluation.common_data import common_data
from keras3dgan.evaluation.pca import PCACodec
from keras3dgan.recipes import offer
from keras3dgan.runs import Run
from keras3dgan.voxels.grid import iou, packed_size
from keras3dgan.voxels.shape_set import ShapeSet

_CHUNK = 500
# Of PCA, where no codec has latents.
_COMPONENTS = 200


def evaluate(codec: ShapeCodec, shapes: ShapeSet) -> dict[str, Any]:
    """Compresses and restores every shape.

    Args:
        codec: what to measure.
        shapes: on which shapes.

    Returns:
        `shapes`; `bytes`, mean of a whole stream, header included; `iou`, mean at threshold 0.5, and `iou_median`;
        `byte_ratio`, packed grid / stream; `seconds`; `iou_by_class`. Of codecs with latents also `latents`, their quantisation
        `step`, and `dimension_ratio`, voxels / latents.
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
        **_latents(codec),
        "byte_ratio": round(packed_size(shapes.resolution) / float(np.mean(sizes)), 2),
        "seconds": round(time.perf_counter() - begin, 2),
        "iou_by_class": by_class,
    }


def _latents(codec: ShapeCodec) -> dict[str, Any]:
    if not isinstance(codec, LatentCodec):
        return {}
    size = codec.coder.size
    return {
        "latents": size,
        "step": round(codec.coder.step, 5),
        "dimension_ratio": round(codec.resolution**3 / size, 1),
    }


def ratio(row: dict[str, Any]) -> str:
    """The dimension ratio of a measurement, for a table; - of codecs without latents."""
    return f"{row['dimension_ratio']:.1f}" if "dimension_ratio" in row else "-"


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The measurements as lines of text, best IoU first.

    Args:
        rows: name of the codec -> what `evaluate` gave.
    """
    width = max(len(name) for name in rows)
    lines = [f"{'':{width}}  {'bytes':>7}  {'IoU':>6}  {'dimension ratio':>15}  {'byte ratio':>10}"]
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["iou"]):
        lines.append(
            f"{name:{width}}  {row['bytes']:7.0f}  {row['iou']:6.3f}  {ratio(row):>15}  {row['byte_ratio']:10.2f}"
        )
    return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        shapes: the shapes measured on.
        split: their split.
        codecs: name -> codec.
        rows: name -> what `evaluate` gave, and the name of the `run` of a codec that was trained.

    Example:
        >>> from keras3dgan import presets
        >>> found = compare([presets.get("compressor_furniture_32")], "validation", with_pca=False)
        >>> [0.5 < row["iou"] < 1 for row in found.rows.values()]
        [True]
    """

    shapes: ShapeSet
    split: str
    codecs: dict[str, ShapeCodec]
    rows: dict[str, dict[str, Any]]

    def as_result(self) -> dict[str, Any]:
        """The measurements as `results/` holds them."""
        classes = list(self.shapes.class_names)
        return {"split": self.split, "classes": classes, "codecs": self.rows}


def compare(
    runs: Sequence[Run],
    split: str,
    with_pca: bool = True,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    more: Mapping[str, ShapeCodec] = MappingProxyType({}),
    latent_steps: int = 0,
) -> Comparison:
    """Measures the codecs of some runs, and PCA of the first one's latent size, on the same shapes.

    Args:
        runs: of kinds that train a codec, on the same data.
        split: `validation` or `test`.
        with_pca: whether to fit PCA on the training split, as baseline.
        data_dir: where TFDS keeps prepared data sets.
        manual_dir: where the source of a data set lies that must be fetched by hand.
        more: further codecs of the same resolution, by name.
        latent_steps: above 0 each run's codec is measured again, with so many steps on the latents (`Goal`).

    Raises:
        InputError: a run is missing or of another kind, or two were trained on different data.
    """
    dataset, classes, resolution = common_data(runs)
    shapes = data.load(dataset, split, classes, resolution, data_dir, manual_dir)
    codecs: dict[str, ShapeCodec] = {}
    trained: dict[str, dict[str, Any]] = {}
    for run in runs:
        codec, name = offer(run, "codec")(run, Goal()), offer(run, "codec_name")(run.settings)
        name = f"{name} ({run.name})" if name in codecs else name
        codecs[name], trained[name] = codec, {"run": run.name}
        if latent_steps:
            slow = f"{name}, {latent_steps} steps on the latents"
            codecs[slow] = offer(run, "codec")(run, Goal(latent_steps=latent_steps))
            trained[slow] = {"run": run.name, "latent_steps": latent_steps}
    if with_pca:
        train, validation = (
            data.load(dataset, part, classes, resolution, data_dir, manual_dir) for part in ("train", "validation")
        )
        pca = PCACodec(train, validation, max(run.settings.get("latent_size", 0) for run in runs) or _COMPONENTS)
        codecs[f"PCA, {pca.pca.n_components_} components"] = pca
    codecs |= more
    rows = {name: {**trained.get(name, {}), **evaluate(codec, shapes)} for name, codec in codecs.items()}
    return Comparison(shapes, split, codecs, rows)
