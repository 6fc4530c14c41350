"""Exports trained models: as SavedModels for TensorFlow Serving, for ONNX Runtime or LiteRT, or for a browser.

keras3dgan export_models --model=runs/compressor --output=served
keras3dgan export_models --model=runs/compressor --output=served --format=onnx
keras3dgan export_models --format=web --archive=all.g3a --output=site
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
from collections.abc import Sequence

from absl import flags

from keras3dgan import codec, presets, recipes
from keras3dgan.codec.archive import Archive
from keras3dgan.codec.shipped import shipped_as
from keras3dgan.commands import cli
from keras3dgan.errors import InputError

NEEDS_BACKEND = False

cli.add(
    flags.DEFINE_string,
    "model",
    None,
    f"run or preset whose models are served: one of {recipes.sources('parts')}; web: an octree model "
    f"[web: the one that wrote --archive, else {codec.DEFAULT}]",
    cli.MODEL,
)
cli.add(
    flags.DEFINE_string,
    "output",
    None,
    "folder that a server watches; gets <part>/<version>/; web: a .g3m, an .html or a folder",
)
cli.add(
    cli.enum("saved_model", "onnx", "litert", "web"),
    "format",
    "saved_model",
    "saved_model; onnx or litert: one file a part; or web",
)
cli.add(flags.DEFINE_string, "archive", None, "web: .g3a file that the site shows")
text = "saved_model: requests that a server runs before it says that it is ready [if tensorflow-serving-api is there]"
cli.add(flags.DEFINE_boolean, "warmup", None, text)
flags.mark_flag_as_required("output")


def main(_: Sequence[str]) -> None:
    """Exports the models of --model."""
    output = pathlib.Path(cli.FLAGS.output)
    places = for_browsers(output) if cli.FLAGS.format == "web" else for_servers(output)
    print(f"wrote {' and '.join(map(str, places))}")


def for_browsers(output: pathlib.Path) -> list[pathlib.Path]:
    """Writes an octree model as a `.g3m` file, a viewer as `.html`, or a folder that shows --archive."""
    from keras3dgan.codec.octree.octree_codec import OctreeCodec
    from keras3dgan.export import web_export

    name = cli.FLAGS.model or _writer_of(cli.FLAGS.archive)
    used = recipes.load_codec(name)
    if not isinstance(used, OctreeCodec):
        raise InputError(f"{name} is no octree model, which browsers decode; name one.", "model")
    return [web_export.write(used.octree, output, cli.FLAGS.archive)]


def _writer_of(archive: str | None) -> str:
    """The model of the package that wrote an archive; without one, that which `compress` takes."""
    if archive is None:
        return codec.DEFAULT
    found = shipped_as(Archive(archive).fingerprint)
    if found is None:
        raise InputError(f"{archive}: no model of this package wrote it; give the one that did.", "model")
    return found


def for_servers(output: pathlib.Path) -> list[pathlib.Path]:
    """Writes the parts of a run for TensorFlow Serving or another engine."""
    if cli.FLAGS.model is None:
        raise InputError("give a run or a preset.", "model")
    cli.import_backend()
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        raise InputError(
            "KERAS_BACKEND: exporting needs TensorFlow; unset the variable, runs of both backends are read."
        )
    from keras3dgan.export import engines, saved_model

    run = presets.get(cli.FLAGS.model, "model")
    if cli.FLAGS.format == "saved_model":
        warmup = cli.FLAGS.warmup
        if warmup is None and not (warmup := importlib.util.find_spec("tensorflow_serving") is not None):
            print("No warm-up requests: they take pip install --no-deps tensorflow-serving-api.")
        return saved_model.write(run, output, warmup)
    comparisons = engines.write(run, output, cli.FLAGS.format)
    print(engines.table(comparisons))
    return [comparison.path for comparison in comparisons]
