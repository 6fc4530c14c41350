"""The console script `keras3dgan <command> [flags]`."""

from __future__ import annotations

import importlib
import os
import sys
import warnings

import keras3dgan
from keras3dgan import recipes
from keras3dgan.commands import cli, train

COMMANDS = {
    "generate": "make new shapes with an octree model or a trained 3D-GAN",
    "refine": "make finer grids of coarse ones",
    "reconstruct": "turn a picture into a shape",
    "compress": "turn shapes into .g3c files",
    "decompress": "turn .g3c files into shapes",
    "bulk_compress": "turn a whole collection into .g3a archives, on one machine or many",
    "evaluate": "measure compressors on shapes never trained on",
    "evaluate_gan": "measure 3D-GANs on shapes never trained on",
    "evaluate_reconstruction": "measure shapes made of pictures of objects never trained on",
    "evaluate_voxnet": "measure a classifier on shapes never trained on",
    "evaluate_features": "classify shapes by what a 3D-GAN's discriminator has learnt without labels",
    "save_preset": "save what a run has trained as a preset, a folder to load by name",
    "export_models": "write trained models for TensorFlow Serving, ONNX Runtime, LiteRT or a browser",
    "serve": "serve exported models on this machine, for development",
    "serve_client": "compress and restore shapes on a server of exported models",
    "report": "write an HTML page about training runs",
    "demo": "all of it on the bundled furniture, in minutes",
}


def commands() -> dict[str, str]:
    """Every command and what it does."""
    trainings = {f"{train.PREFIX}{kind}": recipes.recipe(kind).help for kind in recipes.kinds()}
    return {**trainings, **COMMANDS}


def main() -> None:
    """Runs the command that the first word names."""
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        print(f"keras3dgan {keras3dgan.__version__}")
        return
    if not words or words[0] in ("-h", "--help", "help"):
        listed = "\n".join(f"  {name:23} {text}" for name, text in commands().items())
        print(f"usage: keras3dgan <command> [flags]\n\n{listed}\n\nkeras3dgan <command> --help says more.")
        sys.exit(0 if words else 2)
    name = words[0]
    kind = name.removeprefix(train.PREFIX)
    if name not in COMMANDS and (kind == name or kind not in recipes.kinds()):
        print(f"keras3dgan: '{name}' is no command; choose one of {', '.join(commands())}.", file=sys.stderr)
        sys.exit(2)
    del sys.argv[1]
    warnings.formatwarning = lambda message, *_: f"keras3dgan {name}: {message}\n"
    try:
        run(name)
    except BrokenPipeError:  # whoever read the output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def run(name: str) -> None:
    """Runs a command as the program itself."""
    kind = name.removeprefix(train.PREFIX)
    if name not in COMMANDS:
        train.define(kind)
        cli.run(lambda words: train.main(kind), name, train.usage(kind), needs_backend=False, goes_on=True)
        return
    module = importlib.import_module(f"keras3dgan.commands.{name}")
    cli.run(
        module.main,
        name,
        module.__doc__ or "",
        takes_files=getattr(module, "TAKES_FILES", False),
        needs_backend=getattr(module, "NEEDS_BACKEND", True),
        goes_on=getattr(module, "GOES_ON", False),
    )
