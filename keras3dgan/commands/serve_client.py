"""Compresses, restores, classifies and makes shapes on a server of exported models.

keras3dgan serve_client --address=localhost:8500 chair.obj folder_of_models       # writes .g3c
keras3dgan serve_client --address=http://localhost:8501 --output=chair.glb chair.g3c
keras3dgan serve_client --address=grpcs://host:8500 --tls_ca=ca.pem --token_file=token --task=generate --output=shapes
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from keras3dgan.commands import cli
from keras3dgan.errors import InputError

if TYPE_CHECKING:
    from keras3dgan.serving import Client

TAKES_FILES = True
_CLIENT_FLAGS = ("version", "label", "timeout", "retries", "batch", "tls_ca", "token_file")
NEEDS_BACKEND = False

cli.add(
    flags.DEFINE_string,
    "address",
    None,
    "host:port for gRPC, http://host:port for REST; encrypted: grpcs:// and https://",
    cli.MODEL,
)
cli.add(
    cli.enum("auto", "compress", "decompress", "classify", "generate"),
    "task",
    "auto",
    "auto: decompress where all files end in .g3c or .g3a, else compress; or compress, decompress, classify or generate",
    cli.MODEL,
)
cli.add(flags.DEFINE_integer, "version", None, "of the models [the latest]", cli.MODEL)
cli.add(flags.DEFINE_string, "label", None, "name of a version, as canary", cli.MODEL)
cli.add(flags.DEFINE_integer, "count", 16, "generate: how many shapes", cli.MODEL)
cli.add(flags.DEFINE_integer, "seed", 0, "generate: other seeds give other shapes", cli.MODEL)
cli.add(flags.DEFINE_integer, "resolution", 32, "classify: of the grids that the server's VoxNet takes", cli.MODEL)
cli.add(flags.DEFINE_string, "output", None, "file or folder to write to [beside the input]")
cli.add(
    flags.DEFINE_string, "format", "glb", "of shapes whose file is not named: glb, obj, stl, ply, binvox, npy or npz"
)
cli.add_reading()
cli.add_overwrite()
cli.add(flags.DEFINE_float, "timeout", 30.0, "seconds for one request, retries included")
cli.add(
    flags.DEFINE_integer, "retries", 4, "how often a request is sent again to a server that has no room or is not there"
)
cli.add(flags.DEFINE_integer, "batch", 32, "shapes a request")
cli.add(flags.DEFINE_string, "tls_ca", None, "PEM file of the authority of the server's certificate [the public ones]")
cli.add(flags.DEFINE_string, "token_file", None, "file with a bearer token for an encrypted server")
flags.mark_flag_as_required("address")


def main(words: Sequence[str]) -> None:
    """Has the server do --task with the files and folders that `words` name."""
    from keras3dgan.commands import conversion
    from keras3dgan.serving import Client

    task = cli.FLAGS.task
    if task == "auto":
        task = "decompress" if words and all(word.endswith((".g3c", ".g3a")) for word in words) else "compress"
    if not cli.FLAGS.address.startswith("http"):
        cli.import_tensorflow()  # gRPC's messages come with it
    flag_values: dict[str, Any] = {name: cli.FLAGS[name].value for name in _CLIENT_FLAGS}
    client = Client(cli.FLAGS.address, **flag_values)
    try:
        if task == "compress":
            conversion.compress(lambda first: _ready(client), words, cli.FLAGS.output, cli.reading())
        elif task == "decompress":
            conversion.decompress(
                lambda fingerprint: _ready(client), words, cli.FLAGS.output, cli.FLAGS.format, cli.FLAGS.overwrite
            )
        elif task == "classify":
            _classify(client, words)
        else:
            _generate(client)
    finally:
        client.close()


def _ready(client: Client) -> Client:
    """The client, once its server has answered: without one, each file would wait for it anew."""
    _ = client.coders
    return client


def _classify(client: Client, words: Sequence[str]) -> None:
    """Prints a line for each file."""
    import numpy as np

    from keras3dgan.voxels import io

    if not words:
        raise InputError("give at least one file (see --help).")
    grids = np.stack([io.read_shape(word, cli.FLAGS.resolution, **cli.reading()) for word in words])
    for word, name in zip(words, client.classify(grids), strict=True):
        print(f"{word}: {name}")


def _generate(client: Client) -> None:
    """Writes new shapes into a folder."""
    from keras3dgan.commands import shapes_output

    if not cli.FLAGS.output:
        raise InputError("name the folder for the shapes.", "output")
    count, seed = cli.FLAGS.count, cli.FLAGS.seed
    if count < 1:
        raise InputError(f"must be at least 1, got {count}.", "count")
    shapes_output.write(client.generate(count, seed), pathlib.Path(cli.FLAGS.output), cli.FLAGS.format)
