"""What the commit before the recipes wrote (576445a): runs, streams, archives. `files/before_recipes.tar.gz` holds tiny ones."""

import pathlib
import tarfile

import numpy as np
import pytest

from keras3dgan import codec
from keras3dgan.codec.archive import Archive
from keras3dgan.recipes import load_codec, offer, recipe_of
from keras3dgan.runs import Run
from tests.conftest import run_command

_KINDS = ("autoencoder", "compressor", "octree")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The unpacked folder."""
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(pathlib.Path(__file__).parents[1] / "files" / "before_recipes.tar.gz") as content:
        content.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("kind", _KINDS)
def test_runs_decode_their_streams(kind, before):
    loaded = load_codec(before / kind)
    restored = loaded.decode((before / f"{kind}.g3c").read_bytes())
    np.testing.assert_array_equal(restored > 0.5, np.load(before / f"{kind}.npy") > 0.5)
    assert len(Archive(before / f"{kind}.g3a")) == 2
    np.testing.assert_array_equal(Archive(before / f"{kind}.g3a").shape("a", loaded) > 0.5, restored > 0.5)


def test_the_package_decodes_its_streams(before):
    grid = np.load(before / "a.npy")
    np.testing.assert_array_equal(codec.load("octree32").decode((before / "octree32.g3c").read_bytes()), grid)
    np.testing.assert_array_equal(
        Archive(before / "octree32.g3a").shape("b", codec.load("octree32")), np.load(before / "b.npy")
    )


@pytest.mark.parametrize("kind", ["gan", "vae_gan", *_KINDS])
def test_reports_and_settings_are_read(kind, before, tmp_path):
    run = Run(before / kind)
    assert recipe_of(run).read_settings(run).epochs == run.result()["epochs"]
    if recipe_of(run).parts:
        assert all(part.model.count_params() > 0 for part in offer(run, "parts")(run))


@pytest.mark.parametrize("kind", ["gan", "autoencoder"])
def test_trainings_go_on(kind, before, prepared_data):
    words = [
        "--preset=test",
        "--classes=plant",
        "--width=4",
        "--latent_size=8",
        "--seed=5",
        f"--data_dir={prepared_data}",
    ]
    out = run_command(f"train_{kind}", f"--workdir={before}/{kind}", *words, "--epochs=3").stdout
    assert "going on after epoch 2 of 3" in out and Run(before / kind).result()["epochs"] == 3
