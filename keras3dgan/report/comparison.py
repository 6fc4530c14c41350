"""Compressors side by side on one split of the data they were trained for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras3dgan import data
from keras3dgan.codec.evaluation import evaluate
from keras3dgan.codec.latent_codec import LatentCodec
from keras3dgan.codec.neural import NeuralCodec
from keras3dgan.codec.pca import PCACodec
from keras3dgan.errors import InputError
from keras3dgan.report.runs import TITLES
from keras3dgan.training.run_directory import RunDirectory
from keras3dgan.voxels.shape_set import ShapeSet


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        shapes: the shapes measured on.
        split: their split.
        codecs: name -> codec.
        rows: name -> what `codec.evaluation.evaluate` gave.
    """

    shapes: ShapeSet
    split: str
    codecs: dict[str, LatentCodec]
    rows: dict[str, dict[str, Any]]

    def as_result(self) -> dict[str, Any]:
        """The measurements as they stand in `results/`."""
        classes = list(self.shapes.class_names)
        return {"split": self.split, "classes": classes, "codecs": self.rows}


def compare(
    runs: Sequence[RunDirectory],
    split: str,
    with_pca: bool = True,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> Comparison:
    """Measures the codecs of some runs, and PCA of the first one's latent size, on the same shapes.

    Args:
        runs: of `train_compressor` or `train_autoencoder`, trained on the same data.
        split: `validation` or `test`.
        with_pca: whether to fit PCA on the training split, as baseline.
        data_dir: where TFDS keeps prepared data sets.
        manual_dir: where the source of a data set lies that must be fetched by hand.

    Raises:
        InputError: a run is missing or of another kind, or two were trained on different data.
    """
    configs = [run.config() for run in runs]
    sources = [tuple(c["settings"][key] for key in ("dataset", "classes", "resolution")) for c in configs]
    if any(source != sources[0] for source in sources):
        raise InputError("The compressors were trained on different data; name runs of one data set only.")
    dataset, classes, resolution = sources[0]
    shapes = data.load(dataset, split, classes, resolution, data_dir, manual_dir)
    codecs: dict[str, LatentCodec] = {}
    for run, config in zip(runs, configs, strict=True):
        name = _name(config)
        name = f"{name} ({run.path})" if name in codecs else name
        codecs[name] = NeuralCodec.load(str(run.path))
    if with_pca:
        train, validation = (
            data.load(dataset, part, classes, resolution, data_dir, manual_dir) for part in ("train", "validation")
        )
        pca = PCACodec(train, validation, configs[0]["settings"]["latent_size"])
        codecs[f"PCA, {pca.pca.n_components_} components"] = pca
    return Comparison(shapes, split, codecs, {name: evaluate(codec, shapes) for name, codec in codecs.items()})


def outcome(run: RunDirectory) -> dict[str, Any]:
    """What a result file says of a training: kind, settings, commit, steps, time, and the last epoch's metrics."""
    config = run.config()
    return {**{key: config[key] for key in ("kind", "settings", "commit", "hardware")}, **(run.result() or {})}


def _name(config: dict[str, Any]) -> str:
    title, settings = TITLES[config["kind"]], config["settings"]
    if config["kind"] == "compressor":
        return f"{title}, {settings['decoder']} decoder, lambda2 {settings['lambda2']:g}"
    return title
