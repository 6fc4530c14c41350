"""Trains what a recipe describes; the commands `train_<kind>` are this one with different recipes."""

from __future__ import annotations

import sys

from absl import flags

from keras3dgan import presets, recipes
from keras3dgan.commands import cli
from keras3dgan.errors import InputError

PREFIX = "train_"


def define(kind: str) -> None:
    """Defines the flags of a kind of training: its settings, the runs that go in, and what all trainings take."""
    recipe = recipes.recipe(kind)
    cli.add_settings(recipe)
    cli.add_run()
    for name, wanted in recipe.inputs.items():
        cli.add(flags.DEFINE_string, name, None, wanted.help)
        if wanted.required:
            flags.mark_flag_as_required(name)
    cli.add(flags.DEFINE_integer, "samples_every", 10, "epochs between pictures of samples; 0: only after the last")


def usage(kind: str) -> str:
    """What `--help` says of a kind of training."""
    return sys.modules[recipes.recipe(kind).train.__module__].__doc__ or ""


def main(kind: str) -> None:
    """Trains, or goes on training, the run of --workdir."""
    recipe = recipes.recipe(kind)
    settings = cli.settings(recipe)
    inputs = {}
    for name, wanted in recipe.inputs.items():
        if path := cli.FLAGS[name].value:
            inputs[name] = presets.get(path, name)
            if inputs[name].kind != wanted.kind:
                raise InputError(f"{path} is of kind '{inputs[name].kind}'; give one of train_{wanted.kind}.", name)
            inputs[name].finished(name)
    cli.import_backend()  # only now: it takes seconds
    with cli.training() as run:
        result = recipe.train(settings, run, cli.run_options(), **inputs)
    print(
        f"{run.path}: {result['epochs']} epochs, {result['steps']} steps in {result['seconds']:.0f} s; {recipe.line(result)}"
    )
    print(f"see {run.samples if run.newest_samples() else run.models}")
