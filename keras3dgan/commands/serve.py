"""Serves exported models over gRPC and REST as TensorFlow Serving would: a development server for people without Docker.

keras3dgan serve --models=served
keras3dgan serve --model_config_file=served/models.config --tls_cert=cert.pem --tls_key=key.pem --host=0.0.0.0
"""

import pathlib
import sys
import time

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

cli.add(flags.DEFINE_string, "models", None, "folder with <model>/<version>/, as export_models wrote it", cli.MODEL)
cli.add(flags.DEFINE_string, "model_config_file", None, "TensorFlow Serving's, in place of --models", cli.MODEL)
cli.add(flags.DEFINE_string, "host", "127.0.0.1", "address to listen on")
cli.add(flags.DEFINE_integer, "port", 8500, "for gRPC; 0 takes a free one")
cli.add(flags.DEFINE_integer, "rest_port", 8501, "for REST; 0 takes a free one")
cli.add(flags.DEFINE_integer, "max_batch", 128, "shapes a request; a larger one is refused")
cli.add(flags.DEFINE_integer, "max_message_bytes", 64 << 20, "a larger request is refused")
cli.add(flags.DEFINE_float, "timeout", 30.0, "seconds until a REST request has arrived and has its turn")
cli.add(flags.DEFINE_string, "tls_cert", None, "certificate chain, a PEM file; turns TLS on, with --tls_key")
cli.add(flags.DEFINE_string, "tls_key", None, "private key of --tls_cert, a PEM file")
cli.add(flags.DEFINE_string, "token_file", None, "file with a bearer token that clients must show; needs TLS")
cli.add(flags.DEFINE_float, "poll_seconds", 2.0, "how often to look for new versions")


def main(_):
    """Serves, and looks for new versions, until it is stopped."""
    try:
        from keras3dgan.serving import models, server
    except ModuleNotFoundError as error:
        raise InputError(
            f"needs {error.name}; type pip install '.[serving]' in the checkout and pip install --no-deps tensorflow-serving-api."
        ) from error

    flag_values = cli.FLAGS
    registry = models.Registry(_configs(flag_values.models, flag_values.model_config_file))
    told = registry.update()
    serving = [f"{name} {sorted(found)}" for name in registry.configs if (found := registry.loaded(name))]
    if not serving:
        raise InputError(told[0] if told else f"{flag_values.models}: no exported model here; export one first.")
    limits = models.Limits(flag_values.max_batch, flag_values.max_message_bytes, flag_values.timeout)
    found = server.Server(
        registry,
        flag_values.port,
        flag_values.rest_port,
        flag_values.host,
        limits,
        flag_values.tls_cert,
        flag_values.tls_key,
        flag_values.token_file,
    )
    found.start()
    print(f"{', '.join(serving)}: gRPC on {found.address}, REST on {found.rest_address}", flush=True)
    try:
        while True:
            for sentence in told:
                print(f"keras3dgan serve: {sentence}", file=sys.stderr, flush=True)
            time.sleep(flag_values.poll_seconds)
            told = registry.update()
    finally:
        found.stop()


def _configs(folder, config_file):
    """What to serve, by the one of the two flags that is given."""
    from keras3dgan.serving import models

    if (folder is None) == (config_file is None):
        raise InputError("--models, --model_config_file: give one of them.")
    if config_file:
        return models.read_config(pathlib.Path(config_file))
    try:
        paths = sorted(path for path in pathlib.Path(folder).iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(
            f"--models: {folder} cannot be read ({error.strerror}); export a model there first."
        ) from error
    return [models.ModelConfig(name=path.name, base_path=str(path)) for path in paths]


if __name__ == "__main__":
    cli.run(main, __doc__)
