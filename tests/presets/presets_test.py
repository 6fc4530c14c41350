"""Trained models by a preset's name, its folder, or a run; in Python and in commands."""

import errno
import functools
import importlib.util
import json
import os
import re
import shutil

import h5py
import keras
import numpy as np
import pytest

from keras3dgan import models, presets
from keras3dgan.codec.latent import neural
from keras3dgan.errors import InputError
from keras3dgan.models import preset_files
from keras3dgan.models.fingerprint import fingerprint
from keras3dgan.models.linear_start import start_as_pca
from keras3dgan.recipes import compressor, load_codec, recipe
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, run_command


@pytest.fixture(scope="module")
def named(trained, tmp_path_factory):
    """A folder in the place of the package's presets, with one of each kind that is quick to train."""
    folder = tmp_path_factory.mktemp("presets")
    for kind, name in (("gan", "gan_box_32"), ("voxnet", "voxnet_box_32"), ("compressor", "compressor_box_32")):
        run_command("save_preset", f"--run={trained}/{kind}", f"--output={folder}/{name}")
    network = ("--network=discriminator", f"--output={folder}/discriminator_box_32")
    run_command("save_preset", f"--run={trained}/gan", *network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presets, "FOLDER", folder)
        yield folder


def _same(first, second):
    """Whether two models have the same weights, but for what half precision leaves out."""
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(preset_files.half(a.numpy()), b.numpy())
        assert b.dtype == "float32"


@pytest.mark.parametrize(
    ("cls", "name", "kind", "file"),
    [
        (models.Generator, "gan_box_32", "gan", "generator"),
        (models.Discriminator, "discriminator_box_32", "gan", "discriminator"),
        (models.VoxNet, "voxnet_box_32", "voxnet", "voxnet"),
        (models.Encoder, "compressor_box_32", "compressor", "encoder"),
        (models.Generator, "compressor_box_32", "compressor", "decoder"),
    ],
)
def test_networks(cls, name, kind, file, named, trained):
    original = keras.saving.load_model(trained / kind / "models" / f"{file}.keras")
    for address in (name, str(named / name), named / name):
        _same(original, cls.from_preset(address))
    np.testing.assert_array_equal(cls.from_preset(trained / kind).get_weights()[0], original.get_weights()[0])
    assert name in cls.presets and cls.presets[name]["kind"] == kind


def test_models_of_several_networks(named, trained):
    for cls in (models.GenerativeCompressor, models.VoxelAutoencoder):
        loaded, whole = cls.from_preset("compressor_box_32"), cls.from_preset(trained / "compressor")
        assert type(loaded) is type(whole) is models.GenerativeCompressor
        _same(whole, loaded)
        assert list(cls.presets) == ["compressor_box_32"]
    assert type(models.VoxelAutoencoder.from_preset(trained / "autoencoder")) is models.VoxelAutoencoder
    with pytest.raises(ValueError, match="needs a VoxNet"):  # which is no part of what is compressed with
        loaded.compute_loss(x=np.zeros((1, 32, 32, 32, 1)), y_pred=np.zeros((1, 32, 32, 32, 1)))
    voxnet = models.VoxNet.from_preset("voxnet_box_32")
    again = models.GenerativeCompressor(loaded.encoder, loaded.decoder, voxnet)
    assert np.isfinite(float(again.compute_loss(x=np.zeros((1, 32, 32, 32, 1)), y_pred=np.zeros((1, 32, 32, 32, 1)))))


@pytest.mark.parametrize(
    ("cls", "address", "words"),
    [
        (
            models.Generator,
            "gan_chair",
            "'gan_chair' is no preset, .*presets compressor_box_32, discriminator_box_32, gan",
        ),
        (
            models.Generator,
            "voxnet_box_32",
            "voxnet_box_32: holds a VoxNet, no Generator; load it with VoxNet.from_preset",
        ),
        (models.VoxNet, "compressor_box_32", "holds a GenerativeCompressor of Encoder and Generator, no VoxNet"),
        (models.PictureEncoder, "gan_box_32", "holds a Generator, no PictureEncoder"),
        (
            models.VoxNet,
            "{trained}/gan",
            "kind 'gan' has discriminator .Discriminator. and generator .Generator., no VoxNet",
        ),
        (models.GenerativeCompressor, "{trained}/gan", "of kind 'gan', which trains no GenerativeCompressor"),
        (models.Reconstructor, "{trained}/autoencoder", "of kind 'autoencoder', which trains no Reconstructor"),
        (models.Generator, "{trained}", "no training run here"),
    ],
)
def test_what_is_not_there(cls, address, words, named, trained):
    with pytest.raises(InputError, match=words):
        cls.from_preset(address.format(trained=trained))


def test_damaged_presets(named, tmp_path):
    shutil.copytree(named / "gan_box_32", tmp_path / "cut")
    weights = tmp_path / "cut" / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:900])
    with pytest.raises(InputError, match="cut: a damaged preset"):
        models.Generator.from_preset(tmp_path / "cut")
    shutil.copytree(named / "compressor_box_32", tmp_path / "foreign")
    config = json.loads((tmp_path / "foreign" / "config.json").read_text())
    for part in (
        {"module": "builtins", "class_name": "print", "config": {}},
        {"class_name": "x", "registered_name": "y>x"},
    ):
        config["config"]["encoder"] = part
        (tmp_path / "foreign" / "config.json").write_text(json.dumps(config))
        with pytest.raises(InputError, match="foreign: its config.json names no model of keras3dgan"):
            models.GenerativeCompressor.from_preset(tmp_path / "foreign")


def test_metadata_of_other_types(named, tmp_path):
    shutil.copytree(named / "gan_box_32", tmp_path / "odd")
    (tmp_path / "odd" / "metadata.json").write_text(json.dumps({"kind": "gan", "settings": {}, "result": [1]}))
    with pytest.raises(InputError, match="metadata.json: result must be of type dict"):
        presets.get(tmp_path / "odd").result()


def test_saving(tmp_path):
    generator = models.Generator(16, 8, 8)
    generator.get_layer("logits").bias.assign([1e6])  # a vector: beyond float16, which it is not stored in
    generator.save_to_preset(tmp_path / "mine")
    again = models.Generator.from_preset(tmp_path / "mine")
    _same(generator, again)
    assert again.get_config() == generator.get_config() and fingerprint(again) != fingerprint(generator)
    again.save_to_preset(tmp_path / "mine")  # over itself
    assert fingerprint(models.Generator.from_preset(tmp_path / "mine")) == fingerprint(again)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]
    metadata = json.loads((tmp_path / "mine" / "metadata.json").read_text())
    assert metadata["parameter_count"] == generator.count_params() and "keras_version" in metadata
    with pytest.raises(InputError, match="tells of no training; load it with from_preset"):
        load_codec(tmp_path / "mine")
    generator.get_layer("dense").kernel.assign(generator.get_layer("dense").kernel * 1e9)
    with pytest.raises(InputError, match="do not fit into float16"):
        generator.save_to_preset(tmp_path / "wide")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no preset; choose another folder"):
        generator.save_to_preset(tmp_path / "full")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "mine"]


def test_a_preset_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    models.Generator(16, 8, 8).save_to_preset(tmp_path / "mine")
    before = (tmp_path / "mine" / "metadata.json").read_bytes()
    rename = os.rename

    def refuse(source, target):
        if str(source).endswith(".tmp"):
            raise OSError(errno.EIO, "broken", str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match="broken"):
        models.Generator(16, 8, 8).save_to_preset(tmp_path / "mine")
    assert (tmp_path / "mine" / "metadata.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_generator_of_several_networks(tmp_path):
    mapping = models.LatentMapping(4, 8, 16, 1)
    generator = models.LatentGenerator(mapping, models.Generator(16, 8, 8, name="decoder"), 0.3, [0.1] * 8)
    generator.save_to_preset(tmp_path / "latent")
    again = models.LatentGenerator.from_preset(tmp_path / "latent")
    _same(generator, again)
    assert again.mean == generator.mean
    # It does what a Generator does, and comes before the one in it.
    _same(generator, models.Generator.from_preset(tmp_path / "latent"))


def test_zeros_of_both_signs_are_the_same_weights():
    one, two = np.zeros((2, 3), np.float16), -np.zeros((2, 3), np.float16)
    assert np.signbit(two).all() and preset_files._key(one) == preset_files._key(two)
    assert preset_files._key(one) != preset_files._key(one.T) and preset_files._key(one) != preset_files._key(one + 1)


def test_what_another_preset_holds_is_stored_once(named, trained, tmp_path):
    decoder = models.Generator.from_preset("compressor_box_32")
    mapping = models.LatentMapping(4, decoder.latent_size, 16, 1)
    generator = models.LatentGenerator(mapping, decoder, 0.3, [0.1] * decoder.latent_size)
    generator.save_to_preset(tmp_path / "whole")
    preset = presets.Preset(tmp_path / "light")
    preset_files.save(generator, preset, shares="compressor_box_32")
    sizes = [(tmp_path / name / "model.weights.h5").stat().st_size for name in ("whole", "light")]
    assert sizes[1] < 0.9 * sizes[0]  # small networks are mostly names
    _same(generator, models.LatentGenerator.from_preset(tmp_path / "light"))
    _same(generator, models.Generator.from_preset(tmp_path / "light"))
    with pytest.raises(InputError, match="shares: 'compressor' is no preset of this package"):
        preset_files.save(generator, preset, shares="compressor")
    words = ("--shares=voxnet_box_32", f"--output={tmp_path}/none")
    failed = run_command("save_preset", f"--run={trained}/gan", *words, check=False)
    assert "--shares: voxnet_box_32 has no weights in common" in failed.stderr and not (tmp_path / "none").exists()
    with h5py.File(tmp_path / "light" / "model.weights.h5", "r+") as file:
        file["layers"].visititems(
            lambda _, item: item.attrs.modify("same_as", "gone:x") if item.attrs.get("same_as") else None
        )
    with pytest.raises(InputError, match="'gone' is no preset of this package"):
        models.LatentGenerator.from_preset(tmp_path / "light")


def test_half_precision_costs_less_than_a_thousandth_of_iou(tmp_path):
    """A residual autoencoder, whose linear paths are PCA and whose others have random weights."""
    shapes = boxes(40, 16)
    model = models.VoxelAutoencoder(models.ResidualEncoder(16, 16, 16), models.ResidualDecoder(16, 16, 16))
    start_as_pca(model.encoder, model.decoder, shapes)
    rng = np.random.default_rng(0)
    for network in (model.encoder, model.decoder):
        kernel = network.get_layer("learnt").kernel
        kernel.assign(rng.normal(0, 0.02, kernel.shape))
    model.save_to_preset(tmp_path / "autoencoder")
    grids = boxes(40, 16, seed=1).grids()

    def measured(each):
        latents = neural.analyse(functools.partial(each.encoder, training=False), grids)
        return iou(grids, neural.synthesise(functools.partial(each.decoder, training=False), latents))

    single, half = measured(model), measured(models.VoxelAutoencoder.from_preset(tmp_path / "autoencoder"))
    assert 0.7 < single.mean() < 0.99 and abs(single.mean() - half.mean()) < 0.001
    model.set_weights([np.round(weights * 16) / 16 for weights in model.get_weights()])
    assert abs(single.mean() - measured(model).mean()) > 0.001  # it is a measure of precision


def test_a_codecs_preset_knows_its_streams(named, trained, tmp_path):
    grids = boxes(2, 32).grids()
    of_run, of_preset = load_codec(trained / "compressor"), load_codec("compressor_box_32")
    assert len(of_preset.coders) == len(of_run.coders)
    named_by = fingerprint(of_preset.decoder)
    for coder, other in zip(of_preset.coders, of_run.coders, strict=True):
        assert coder.fingerprint == coder.of_decoder(named_by).fingerprint != other.fingerprint
        np.testing.assert_array_equal(coder.frequencies, other.frequencies)
        assert other.of_decoder(fingerprint(of_run.decoder)).fingerprint == other.fingerprint
    with pytest.raises(InputError, match="written by model"):
        of_run.decode(of_preset.encode(grids))
    (tmp_path / "a.g3c").write_bytes(of_preset.encode(grids[0]))
    run_command("decompress", tmp_path / "a.g3c", "--format=npy")  # finds the preset by itself
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy") > 0.5, of_preset.decode(of_preset.encode(grids[0])) > 0.5)


def test_commands_take_presets(named, packed_archive, tmp_path, monkeypatch):
    run_command("generate", "--model=gan_box_32", f"--output={tmp_path}/a", "--format=npy", "--count=2")
    monkeypatch.chdir(packed_archive.parent)  # a preset names a file of shapes by its last part
    run_command("evaluate", "--models=compressor_box_32", f"--output={tmp_path}/codec.json", "--nopca")
    content = json.loads((tmp_path / "codec.json").read_text())
    assert [row["run"] for row in content["codecs"].values()] == list(content["trainings"]) == ["compressor_box_32"]
    words = ("--models=gan_box_32", "--voxnet=voxnet_box_32", f"--output={tmp_path}/gan.json")
    run_command("evaluate_gan", *words)
    assert "gan_box_32" in json.loads((tmp_path / "gan.json").read_text())["generators"]
    run_command("evaluate_features", "--model=discriminator_box_32", f"--output={tmp_path}/features.json")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorflow_serving" else find(name))
    out = run_command("export_models", "--model=voxnet_box_32", f"--output={tmp_path}/served").stdout
    assert "No warm-up requests: they take pip install" in out
    assert (tmp_path / "served" / "voxnet" / "1" / "saved_model.pb").exists()
    run_command("report", "--runs=gan_box_32", f"--output={tmp_path}/r.html", f"--pictures={tmp_path}/r")
    assert "3D-GAN: gan_box_32" in (tmp_path / "r.html").read_text()
    # What was measured of a preset becomes part of it.
    words = (f"--output={named}/gan_box_32", f"--results={tmp_path}/gan.json", "--limitations=Boxes alone.")
    run_command("save_preset", "--run=gan_box_32", *words)
    metadata = models.Generator.presets["gan_box_32"]
    assert metadata["quality"][0]["split"] == "test" and metadata["data"] == "ModelNet10, all classes, 32^3"
    assert "| bad at | Boxes alone. |" in (named / "gan_box_32" / "README.md").read_text()


def test_a_training_starts_from_presets(named):
    gan, voxnet = presets.get("gan_box_32"), presets.get("voxnet_box_32")
    model = compressor.build(recipe("compressor").make_settings("test"), gan, voxnet)
    assert fingerprint(model.decoder) == fingerprint(models.Generator.from_preset("gan_box_32"))
    failed = run_command("train_compressor", f"--workdir={named}/run", "--voxnet=gan_box_32", check=False)
    assert failed.returncode == 1 and "--voxnet: gan_box_32 is of kind 'gan'; give one of train_voxnet" in failed.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("generate", "--model=gan_chair"),
            "gan_chair: no run, no preset and no octree .npz; .*octree128, gan_box_32.",
        ),
        (
            ("generate", "--model=voxnet_box_32"),
            "a preset of kind 'voxnet' has no generate; give one of train_gan, .*gan_box_32",
        ),
        (("generate", "--model=discriminator_box_32"), "holds discriminator, no generator"),
        (("compress", "--model=gan_box_32", "{a}"), "a preset of kind 'gan' has no codec; .*compressor_box_32"),
        (("reconstruct", "--model=gan_box_32", "{a}"), "has no reconstructor; give one of train_vae_gan"),
        (("save_preset", "--run=octree32"), "--run: 'octree32' is no preset, and no folder of one or of a run"),
        (("train_gan", "--workdir={preset}", "--preset=test"), "says nothing of kind; choose another run"),
    ],
)
def test_sentences(words, message, named, tmp_path, packed_archive):
    np.save(tmp_path / "a.npy", boxes(1, 32).grids()[0])
    (tmp_path / "a.png").write_bytes(b"")
    a = tmp_path / ("a.png" if words[0] == "reconstruct" else "a.npy")
    more = [f"--output={tmp_path}/o"] if words[0] in ("generate", "save_preset") else []
    if words[0].startswith("train"):
        more = [f"--dataset={packed_archive}"]
    filled = [word.format(a=a, preset=named / "gan_box_32") for word in words]
    failed = run_command(*filled, *more, check=False)
    assert failed.returncode == 1 and failed.stderr.count("\n") == 1
    assert re.search(message, failed.stderr), failed.stderr
