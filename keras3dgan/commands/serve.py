"""Serves exported models over gRPC and REST as TensorFlow Serving would: a development server for people without Docker.

keras3dgan serve --models=served
keras3dgan serve --model_config_file=served/models.config --host=0.0.0.0
"""

from __future__ import annotations

import pathlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

NEEDS_BACKEND = False

cli.add(flags.DEFINE_string, "models", None, "folder with <model>/<version>/, as export_models wrote it", cli.MODEL)
cli.add(flags.DEFINE_string, "model_config_file", None, "TensorFlow Serving's, in place of --models", cli.MODEL)
cli.add(flags.DEFINE_string, "host", "127.0.0.1", "address to listen on")
cli.add(flags.DEFINE_integer, "port", 8500, "for gRPC; 0 takes a free one")
cli.add(flags.DEFINE_integer, "rest_port", 8501, "for REST; 0 takes a free one")
cli.add(flags.DEFINE_integer, "max_batch", 128, "shapes a request; a larger one is refused")
cli.add(flags.DEFINE_integer, "max_message_bytes", 64 << 20, "a larger request is refused; JSON may have a quarter")
cli.add(flags.DEFINE_float, "timeout", 30.0, "seconds until a REST request has arrived and has its turn")
cli.add(flags.DEFINE_float, "poll_seconds", 2.0, "how often to look for new versions")

# Of flags: the least and the most.
_BOUNDS = (
    ("port", 0, 65535),
    ("rest_port", 0, 65535),
    ("max_batch", 1, 1 << 20),
    ("max_message_bytes", 1, (1 << 31) - 1),
    ("timeout", 0.001, 86400.0),
    ("poll_seconds", 0.001, 86400.0),
)


def main(_: Sequence[str]) -> None:
    """Serves, and looks for new versions, until it is stopped."""
    values = cli.FLAGS
    if (values.models is None) == (values.model_config_file is None):
        raise InputError("--models, --model_config_file: give one of them.")
    if values.models and not pathlib.Path(values.models).is_dir():
        raise InputError(f"{values.models} is no folder; export a model there first.", "models")
    for name, least, most in _BOUNDS:
        value: Any = values[name].value
        if not least <= value <= most:
            raise InputError(f"must be {least} to {most}, got {value}.", name)
    cli.import_tensorflow()
    try:
        from keras3dgan.serving import models, server
    except ModuleNotFoundError as error:
        raise InputError(
            f"needs {error.name}; type pip install '.[cpu,serving]' and pip install --no-deps tensorflow-serving-api."
        ) from error

    if values.models:
        paths = sorted(path for path in pathlib.Path(values.models).iterdir() if path.is_dir())
        configs = [models.ModelConfig(name=path.name, base_path=str(path)) for path in paths]
    else:
        configs = models.read_config(pathlib.Path(values.model_config_file))
    registry = models.Registry(configs)
    told = registry.update()
    serving = [f"{name} {sorted(found)}" for name in registry.configs if (found := registry.loaded(name))]
    if not serving:
        place = values.models or values.model_config_file
        raise InputError(told[0] if told else f"{place}: no exported model here; export one first.")
    limits = models.Limits(values.max_batch, values.max_message_bytes, values.timeout)
    served = server.Server(registry, limits, values.port, values.rest_port, values.host)
    served.start()
    print(f"{', '.join(serving)}: gRPC on {served.address}, REST on {served.rest_address}", flush=True)
    try:
        while True:
            for sentence in told:
                print(f"keras3dgan serve: {sentence}", file=sys.stderr, flush=True)
            time.sleep(values.poll_seconds)
            told = registry.update()
    finally:
        served.stop()
