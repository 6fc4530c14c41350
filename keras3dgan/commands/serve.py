"""Serves exported models over gRPC and REST as TensorFlow Serving would: a development server for people without Docker.

keras3dgan serve --models=served
keras3dgan serve --model_config_file=served/models.config --batching_parameters_file=served/batching.config
"""

import pathlib
import time

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

cli.add(flags.DEFINE_string, "models", None, "folder with <model>/<version>/, as export_models wrote it", cli.MODEL)
cli.add(flags.DEFINE_string, "model_config_file", None, "TensorFlow Serving's, in place of --models", cli.MODEL)
cli.add(flags.DEFINE_string, "batching_parameters_file", None, "TensorFlow Serving's; joins requests into batches")
cli.add(flags.DEFINE_string, "host", "127.0.0.1", "address to listen on")
cli.add(flags.DEFINE_integer, "port", 8500, "for gRPC; 0 takes a free one")
cli.add(flags.DEFINE_integer, "rest_port", 8501, "for REST; 0 takes a free one")
cli.add(flags.DEFINE_integer, "max_message_bytes", 64 << 20, "a larger request is refused")
cli.add(flags.DEFINE_float, "poll_seconds", 2.0, "how often to look for new versions")


def main(_):
    """Serves, and looks for new versions, until it is stopped."""
    try:
        from keras3dgan.serving import batching, models, server
    except ModuleNotFoundError as error:
        raise InputError(
            f"needs {error.name}; type pip install '.[serving]' in the checkout and pip install --no-deps tensorflow-serving-api."
        ) from error

    if (cli.FLAGS.models is None) == (cli.FLAGS.model_config_file is None):
        raise InputError("--models, --model_config_file: give one of them.")
    if cli.FLAGS.model_config_file:
        configs = models.read_config(pathlib.Path(cli.FLAGS.model_config_file))
    else:
        folder = pathlib.Path(cli.FLAGS.models)
        configs = [models.ModelConfig(path.name, path) for path in sorted(folder.glob("*")) if path.is_dir()]
    parameters = None
    if cli.FLAGS.batching_parameters_file:
        parameters = batching.read_parameters(pathlib.Path(cli.FLAGS.batching_parameters_file))
    registry = models.Registry(configs, parameters)
    registry.update()
    serving = [
        f"{name} {sorted(registry.states(models.Model(name)))}" for name in registry.configs if registry.has(name)
    ]
    if not serving:
        raise InputError(
            f"{cli.FLAGS.models or cli.FLAGS.model_config_file}: no exported model here; export one first."
        )
    found = server.Server(
        registry, cli.FLAGS.port, cli.FLAGS.rest_port, cli.FLAGS.host, max_bytes=cli.FLAGS.max_message_bytes
    )
    found.start()
    host = cli.FLAGS.host
    print(f"{', '.join(serving)}: gRPC on {host}:{found.port}, REST on http://{host}:{found.rest_port}", flush=True)
    try:
        while True:
            time.sleep(cli.FLAGS.poll_seconds)
            registry.update()
    finally:
        found.stop()
