"""What `save_preset` keeps of runs, of 3D-VAE-GANs too, and what it tells of them."""

import json
import pathlib
import shlex
import tarfile

import numpy as np
import pytest
from PIL import Image

from keras3dgan import data, models
from keras3dgan.errors import InputError
from keras3dgan.export import preset_export
from keras3dgan.pictures.framing import on_white
from keras3dgan.recipes import kinds, recipe
from keras3dgan.runs import Run
from tests.conftest import run_command


@pytest.fixture(scope="module")
def vae_gan(tmp_path_factory):
    """The folder of a tiny trained run."""
    folder = tmp_path_factory.mktemp("vae_gan")
    with tarfile.open(pathlib.Path(__file__).parents[1] / "files" / "before_recipes.tar.gz") as content:
        content.extractall(folder, filter="data")
    return folder / "vae_gan"


def test_a_preset_reconstructs_as_its_run_does(vae_gan, tmp_path):
    preset = preset_export.write(Run(vae_gan), tmp_path / "vae_gan_32")
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 4), dtype=np.uint8)
    # Of the run the generator was kept with its logits shifted, so that 0.5 is the threshold.
    of_run = models.Reconstructor.from_preset(vae_gan).reconstruct(pictures)
    of_preset = models.Reconstructor.from_preset(preset.path)
    np.testing.assert_allclose(of_preset.reconstruct(pictures), of_run, atol=1e-3)
    views = np.float32(on_white(pictures))
    latents = models.PictureEncoder.from_preset(preset.path)(views, training=False)[0]
    logits = models.Generator.from_preset(preset.path)(latents, training=False)
    np.testing.assert_allclose(logits, of_preset(views, training=False), atol=1e-5)
    assert models.PictureEncoder.from_preset(preset.path).size == of_preset.size == 32
    picture = Image.new("RGB", (40, 40), (9, 9, 9))
    picture.putpixel((20, 20), (200, 9, 9))
    picture.save(tmp_path / "a.png")
    run_command("reconstruct", f"--model={preset.path}", tmp_path / "a.png", "--format=npy")
    assert np.load(tmp_path / "a.npy").shape == (32, 32, 32)


def test_unfinished_runs_and_kinds_without_presets(vae_gan, tmp_path):
    (vae_gan / "result.json").rename(vae_gan / "later.json")
    with pytest.raises(InputError, match="run: .* has not finished its training"):
        preset_export.write(Run(vae_gan), tmp_path / "x")
    (vae_gan / "later.json").rename(vae_gan / "result.json")
    with pytest.raises(InputError, match="kind 'octree' has no preset; give one of train_autoencoder"):
        preset_export.write(Run(vae_gan.parent / "octree"), tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_metadata_names_no_folder_and_the_terms(vae_gan):
    run = Run(vae_gan)
    config = run.config()
    config["settings"] |= {
        "dataset": "/home/me/modelnet10.npz",
        "views": "/home/me/furniture",
        "classes": ["chair", "sofa"],
    }
    (vae_gan / "config.json").write_text(json.dumps(config))
    told = preset_export.metadata(run, [], "")
    assert told["settings"]["dataset"] == "modelnet10.npz" and told["settings"]["views"] == "furniture"
    assert told["data"] == "ModelNet10, chair, sofa, 32^3" and "academic use" in told["terms"]
    assert "--dataset=modelnet10.npz" in told["command"] and "/home/me" not in json.dumps(told)


@pytest.mark.parametrize(
    ("dataset", "title"),
    [
        ("furniture_voxels", "furniture_voxels"),
        ("modelnet_voxels/off40_32", "ModelNet40"),
        ("modelnet_voxels", "ModelNet10"),
        ("folder40/modelnet10.npz", "ModelNet10"),
        ("open_shapes_voxels", "open_shapes_voxels"),
        ("shapenet_voxels/r2n2_32", "ShapeNet"),
    ],
)
def test_terms(dataset, title):
    found, terms = data.terms(dataset)
    assert found == title and ("academic" in terms) == ("ModelNet" in title)
    assert ("CC BY 3.0" in terms) == (title == "furniture_voxels")


def test_a_file_of_unknown_terms(vae_gan):
    run = Run(vae_gan)
    config = run.config()
    config["settings"] |= {"dataset": "here/open_32.npz"}
    (vae_gan / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        InputError, match="terms: what may be done with models that learn from open_32.npz is not known"
    ):
        preset_export.metadata(run, [], "")
    told = preset_export.metadata(run, [], "", "share alike")
    assert told["terms"] == "share alike" and told["data"].startswith("open_32, ")


def _parsed(found, words):
    """The settings that a command's flags ask for, which `commands.cli` reads so too."""
    values = {}
    for word in words:
        name, _, text = word.removeprefix("--").partition("=")
        field = found.fields().get(name.removeprefix("no") if not text and name != "xla" else name)
        if isinstance(field.default, tuple):
            number = float if field.default else str
            values[name] = tuple(number(each) for each in text.split(",") if each)
        else:
            values[field.name] = type(field.default)(text or not name.startswith("no"))
    return values


@pytest.mark.parametrize("kind", kinds())
def test_the_command_of_a_training_gives_its_settings_back(kind):
    found = recipe(kind)
    for preset in found.presets:
        settings = found.make_settings(preset, epochs=7, classes=("a b", "c"), xla=True, seed=3)
        words = shlex.split(found.command(settings, ["gan"]))
        assert words[:3] == ["keras3dgan", f"train_{kind}", f"--workdir=runs/{kind}"]
        assert words[4] == "--gan=runs/gan" and len(words) <= 9 and "--xla" in words
        assert found.make_settings(words[3].removeprefix("--preset="), **_parsed(found, words[5:])) == settings
