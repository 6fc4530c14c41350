"""A GAN on an autoencoder's latents: trained, gone on with, drawn from, exported; equal on devices and backends in steps_test."""

import json

import numpy as np
import pytest

from keras3dgan.recipes import autoencoder, gan, offer
from keras3dgan.runs import Run
from keras3dgan.training.latent_space import LatentSpace
from tests.conftest import boxes, run_command

_REFINED = (
    "--preset=refined",
    "--precision=float32",
    "--width=8",
    "--batch_size=16",
    "--critic_first=1",
    "--measure_every=2",
)
_SMALL = ("--width=32", "--batch_size=16", "--copies=2", "--measure_every=2", "--checkpoint_seconds=0")


@pytest.fixture(scope="module")
def words(trained, packed_archive):
    common = ("--preset=latent", f"--dataset={packed_archive}", f"--autoencoder={trained}/autoencoder", *_SMALL)
    return lambda folder, epochs: (f"--workdir={folder}", f"--epochs={epochs}", *common)


@pytest.fixture(scope="module")
def run(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("latent")
    out = run_command("train_gan", *words(folder, 4)).stdout
    assert "kept the generator of epoch" in out
    return folder


def test_it_goes_on_where_it_was(run, words, tmp_path):
    run_command("train_gan", *words(tmp_path, 2))
    run_command("train_gan", *words(tmp_path, 4))
    one, two = (Run(folder).metrics() for folder in (run, tmp_path))
    drop = [{name: value for name, value in line.items() if name != "seconds"} for line in one]
    assert drop == [{name: value for name, value in line.items() if name != "seconds"} for line in two]
    assert one[-1]["step"] == 4 * (2 * Run(run).result()["train_shapes"] // 2 // 16)
    assert Run(run).config()["parts"].keys() == {"autoencoder"}


def test_shapes_are_drawn_measured_and_exported(run, tmp_path):
    made, again = (offer(Run(run), "generate")(Run(run), 3, 5, None, ()) for _ in range(2))
    assert made.shape == (3, 32, 32, 32) and 0 <= made.min() < made.max() <= 1 and np.array_equal(made, again)
    run_command("evaluate_gan", f"--models={run}", f"--output={tmp_path}/r.json", "--split=validation")
    assert "score" in json.loads((tmp_path / "r.json").read_text())["generators"][str(run)]
    run_command("export_models", f"--model={run}", f"--output={tmp_path}/served", "--nowarmup")
    assert (tmp_path / "served" / "generator" / "1" / "saved_model.pb").exists()


def test_what_is_learnt_are_the_latents_of_augmented_shapes(trained, run, tmp_path):
    codec = autoencoder.load(Run(trained / "autoencoder"))
    shapes = boxes(10, 32)
    space = LatentSpace.of(codec, shapes, "none", 3, 0, Run(tmp_path / "none"))
    vectors = np.asarray(next(iter(space.batches(30, 0)(0))))
    assert vectors.shape == (30, 16) and len(space.shapes(shapes)) == 30
    assert np.abs(vectors.mean(axis=0)).max() < 1e-4 and (vectors**2).mean() == pytest.approx(1, abs=1e-4)
    moved = LatentSpace.of(codec, shapes, "mirror,shift", 3, 0, Run(tmp_path / "moved"))
    assert len(np.unique(np.asarray(next(iter(moved.batches(30, 0)(0)))).round(4), axis=0)) > 20
    # What the mapping gives is decoded where the autoencoder's latents lie.
    generator = gan.load(Run(run))
    noise = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    latents = np.asarray(generator.mapping(noise)) * generator.scale + np.asarray(generator.mean)
    np.testing.assert_allclose(generator(noise), codec.decoder(latents), atol=1e-4)


def test_its_mapping_goes_on_against_a_critic_of_voxels(run, packed_archive, tmp_path):
    words = (f"--dataset={packed_archive}", f"--generator={run}", *_REFINED, "--checkpoint_seconds=0")
    for name, epochs in (("whole", (4,)), ("halves", (2, 4))):
        for count in epochs:
            run_command("train_gan", f"--workdir={tmp_path}/{name}", f"--epochs={count}", *words)
    one, two = (gan.load(Run(tmp_path / name)) for name in ("whole", "halves"))
    for mine, others in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, others)
    # The decoder is the autoencoder's still, so a preset can share it.
    before = gan.load(Run(run))
    for mine, others in zip(one.decoder.get_weights(), before.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, others)
    assert not np.array_equal(one.mapping.get_weights()[0], before.mapping.get_weights()[0])
    assert Run(tmp_path / "whole").config()["parts"].keys() == {"generator"}
    assert offer(Run(tmp_path / "whole"), "generate")(Run(tmp_path / "whole"), 2, 5, None, ()).shape == (2, 32, 32, 32)


def test_the_generator_must_fit(run, trained, packed_archive, tmp_path):
    common = (f"--workdir={tmp_path}/run", f"--dataset={packed_archive}")
    for flags, sentence in (
        ((*_REFINED, f"--generator={run}", "--latent_size=8"), "--latent_size: is 64 in"),
        ((*_REFINED, f"--generator={run}", "--latent_stddev=0.5"), "--latent_stddev: is 1.0 in"),
        (("--preset=test", f"--generator={run}"), "--generator: only variant wgan_gp takes one"),
        ((*_REFINED, f"--generator={trained}/autoencoder"), "give one of train_gan"),
        (_REFINED, "--generator: give the run of train_gan whose generator goes on"),
    ):
        failed = run_command("train_gan", *common, *flags, check=False)
        assert failed.returncode == 1 and sentence in failed.stderr and failed.stderr.count("\n") == 1, failed.stderr
        assert not (tmp_path / "run" / "config.json").exists()


def test_the_autoencoder_must_fit(trained, packed_archive, tmp_path):
    common = (f"--workdir={tmp_path}/run", f"--dataset={packed_archive}")
    for flags, sentence in (
        (("--preset=latent",), "--autoencoder: give the run of a trained autoencoder"),
        (("--preset=test", f"--autoencoder={trained}/autoencoder"), "--autoencoder: only variant latent takes one"),
        (("--preset=latent", f"--autoencoder={trained}/gan"), "give one of train_autoencoder"),
        (("--preset=latent", "--resolution=64", f"--autoencoder={trained}/autoencoder"), "is for 32^3, not 64^3"),
    ):
        failed = run_command("train_gan", *common, *flags, check=False)
        assert failed.returncode == 1 and sentence in failed.stderr and failed.stderr.count("\n") == 1, failed.stderr
        assert not (tmp_path / "run" / "config.json").exists()
