"""Everything works on every kind of run, or says in one sentence why that kind has no such thing; a new kind is one file."""

import json
import subprocess
import sys

import numpy as np
import pytest

from keras3dgan import recipes
from keras3dgan.errors import InputError
from keras3dgan.recipes import load_codec, offer, recipe
from keras3dgan.runs import Run
from tests.conftest import boxes, command_environment, run_command

# What each kind offers; a new kind has to be added here.
CODECS = {"autoencoder", "compressor", "octree"}
EXPORTED = {
    "autoencoder": {"encoder", "decoder"},
    "compressor": {"encoder", "decoder"},
    "gan": {"generator"},
    "vae_gan": {"generator", "picture_encoder"},
    "voxnet": {"voxnet"},
}


@pytest.fixture(scope="module")
def run_of(trained, packed_archive, tmp_path_factory):
    """A finished run of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    common = ("--preset=test", f"--dataset={packed_archive}", "--epochs=1")
    run_command("train_octree", f"--workdir={folder}/octree", *common, "--steps=10")
    run_command("train_vae_gan", f"--workdir={folder}/vae_gan", *common, f"--data_dir={folder}/data")
    return lambda kind: (trained if (trained / kind).exists() else folder) / kind


@pytest.mark.parametrize("kind", recipes.kinds())
def test_report(kind, run_of, tmp_path):
    run_command("report", f"--runs={run_of(kind)}", f"--output={tmp_path}/r.html", f"--pictures={tmp_path}")
    page = (tmp_path / "r.html").read_text()
    assert recipe(kind).title in page and "Training curves" in page
    assert ("byte ratio" in page) == (kind in CODECS)
    assert (tmp_path / f"run_{kind}_curves.png").exists()


@pytest.mark.parametrize("kind", recipes.kinds())
def test_evaluate(kind, run_of, tmp_path):
    words = (f"--models={run_of(kind)}", f"--output={tmp_path}/r.json")
    if kind in CODECS:
        run_command("evaluate", *words)
        rows = json.loads((tmp_path / "r.json").read_text())["codecs"]
        assert len(rows) == 2 and any(name.startswith("PCA") for name in rows)
    else:
        result = run_command("evaluate", *words, check=False)
        assert result.returncode == 1 and result.stderr.count("\n") == 1
        assert f"a run of kind '{kind}' has no codec; give one of train_autoencoder" in result.stderr


@pytest.mark.parametrize("kind", recipes.kinds())
def test_export_models(kind, run_of, tmp_path):
    words = (f"--model={run_of(kind)}", f"--output={tmp_path}/served", "--nowarmup")
    if kind in EXPORTED:
        run_command("export_models", *words)
        assert {path.name for path in (tmp_path / "served").iterdir()} == EXPORTED[kind]
    else:
        result = run_command("export_models", *words, check=False)
        assert result.returncode == 1 and result.stderr.count("\n") == 1
        assert f"a run of kind '{kind}' has no parts" in result.stderr


def test_more_latents_than_shapes_cannot_start_as_pca(packed_archive, tmp_path):
    words = ("--preset=best", "--width=8", f"--dataset={packed_archive}", f"--workdir={tmp_path}/run")
    result = run_command("train_autoencoder", *words, check=False)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "--latent_size: 200 cannot start as PCA of" in result.stderr and not (tmp_path / "run/config.json").exists()


@pytest.mark.parametrize("kind", recipes.kinds())
def test_codecs(kind, run_of):
    if kind in CODECS:
        codec = load_codec(run_of(kind))
        grids = boxes(2, 32).grids()
        assert codec.decode(codec.encode(grids)).shape == (2, 32, 32, 32)
    else:
        with pytest.raises(InputError, match="has no codec"):
            load_codec(run_of(kind))


TOY = '''
"""A toy: the mean of the training shapes."""

import dataclasses

import numpy as np

from keras3dgan.training.options import Options
from keras3dgan.training.recipe import Recipe
from keras3dgan.training.settings import Settings, knob


@dataclasses.dataclass(frozen=True)
class MeanSettings(Settings):
    """The toy's."""

    power: float = knob(1.0, "of the mean", above=0)


def train(settings, run, options=Options()):
    """Learns it."""
    shapes = options.load(settings, "train")
    run.start("mean", settings)
    run.models.mkdir(exist_ok=True)
    np.save(run.models / "mean.npy", shapes.grids().mean(axis=0) ** settings.power)
    line = {"epoch": 1, "step": 1, "seconds": 0.1, "loss": 0.5}
    run.add_metrics(line)
    result = {"epochs": 1, "steps": 1, "seconds": 0.1, "last": line}
    run.finish(result)
    return result


RECIPE = Recipe("mean", "Mean shape", "learn a mean", MeanSettings, {"report": {}}, train, lambda result: "learnt")
'''


def test_a_new_kind_is_one_file(packed_archive, tmp_path, monkeypatch):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "mean.py").write_text(TOY)
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path / "more")])
    out = run_command("train_mean", f"--workdir={tmp_path}/run", f"--dataset={packed_archive}", "--power=2").stdout
    assert out.startswith(f"{tmp_path}/run: 1 epochs, 1 steps") and "learnt" in out
    assert np.load(tmp_path / "run" / "models" / "mean.npy").shape == (32, 32, 32)
    assert "--power: of the mean [report: 1.0]" in run_command("train_mean", "--help").stdout
    assert "--power: must be above 0" in run_command("train_mean", "--workdir=x", "--power=0", check=False).stderr
    run_command("report", f"--runs={tmp_path}/run", f"--output={tmp_path}/r.html")
    assert "Mean shape" in (tmp_path / "r.html").read_text()
    failed = run_command("evaluate", f"--models={tmp_path}/run", f"--output={tmp_path}/r.json", check=False)
    assert failed.returncode == 1 and "kind 'mean' has no codec" in failed.stderr
    sys.modules.pop("keras3dgan.recipes.mean")
    monkeypatch.undo()
    with pytest.raises(InputError, match="of kind 'mean', which this version does not know"):
        offer(Run(tmp_path / "run"), "codec")


def test_xla_compiles_the_step():
    # Keras leaves out what it cannot do with a warning: with deterministic operations, for one, it compiles nothing.
    program = (
        "from keras3dgan.recipes import gan, voxnet\n"
        "from keras3dgan.training import loop\n"
        "for recipe, xla in ((gan, True), (voxnet, False), (voxnet, True)):\n"
        "    settings = recipe.RECIPE.make_settings('test', xla=xla)\n"
        "    with loop.prepared(settings):\n"
        "        print(recipe.build(settings, *([2] if recipe is voxnet else [])).jit_compile)"
    )
    words = [sys.executable, "-W", "error::UserWarning", "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, env=command_environment())
    assert done.stdout == "True\nFalse\nTrue\n", done.stderr
