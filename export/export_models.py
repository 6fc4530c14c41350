"""Exports trained models as SavedModels for TensorFlow Serving: encoder and decoder, generator, or classifier.

keras3dgan export_models --model=runs/compressor --output=served        (or python -m keras3dgan.export.export_models)
keras3dgan export_models --model=runs/compressor --output=served --format=onnx
"""

import pathlib

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

cli.add(flags.DEFINE_string, "model", None, "run of any training", cli.MODEL)
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


def main(_):
    """Exports the models of the run --model."""
    import os

    from keras3dgan.training.run_directory import RunDirectory

    if os.environ["KERAS_BACKEND"] != "tensorflow":
        raise InputError(
            "KERAS_BACKEND: exporting needs TensorFlow; unset the variable, runs of both backends are read."
        )
    from keras3dgan.export import engines, saved_model

    run, output = RunDirectory(cli.FLAGS.model), pathlib.Path(cli.FLAGS.output)
    if cli.FLAGS.format == "saved_model":
        places = saved_model.write(run, output, cli.FLAGS.warmup)
    else:
        comparisons = engines.write(run, output, cli.FLAGS.format)
        print(engines.table(comparisons))
        places = [comparison.path for comparison in comparisons]
    print(f"wrote {' and '.join(map(str, places))}")


if __name__ == "__main__":
    cli.run(main, __doc__)
