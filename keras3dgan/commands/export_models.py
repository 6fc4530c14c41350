"""Exports trained models as SavedModels for TensorFlow Serving: encoder and decoder, generator, classifier.

keras3dgan export_models --model=runs/compressor --output=served
keras3dgan export_models --model=runs/compressor --output=served --format=onnx
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError
from keras3dgan.runs import Run

cli.add(flags.DEFINE_string, "model", None, "run of a training whose models are served", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "folder that a server watches; gets <part>/<version>/")
cli.add(
    cli.enum("saved_model", "onnx", "litert"),
    "format",
    "saved_model",
    "saved_model; or onnx or litert: one file a part",
)
cli.add(
    flags.DEFINE_boolean, "warmup", True, "saved_model: requests that a server runs before it says that it is ready"
)
flags.mark_flags_as_required(["model", "output"])


def main(_: Sequence[str]) -> None:
    """Exports the models of the run --model."""
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        raise InputError(
            "KERAS_BACKEND: exporting needs TensorFlow; unset the variable, runs of both backends are read."
        )
    from keras3dgan.export import engines, saved_model

    run, output = Run(cli.FLAGS.model), pathlib.Path(cli.FLAGS.output)
    if cli.FLAGS.format == "saved_model":
        places = saved_model.write(run, output, cli.FLAGS.warmup)
    else:
        comparisons = engines.write(run, output, cli.FLAGS.format)
        print(engines.table(comparisons))
        places = [comparison.path for comparison in comparisons]
    print(f"wrote {' and '.join(map(str, places))}")
