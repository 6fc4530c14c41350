"""From pictures to shapes by the commands: trained, measured, used on pictures that somebody else made."""

import functools
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw

from keras3dgan import data
from keras3dgan.evaluation.reconstructions import MeanShape, NearestShape, evaluate
from keras3dgan.pictures.picture_set import PictureSet, load_views
from keras3dgan.recipes import autoencoder, vae_gan
from keras3dgan.runs import Run
from keras3dgan.training.best_reconstructor import BestReconstructor
from keras3dgan.training.latent_space import latents_of
from keras3dgan.training.options import Options
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, made_once, run_command


@pytest.fixture(scope="module")
def trained_vae_gan(packed_archive, tmp_path_factory):
    return made_once(tmp_path_factory, "vae_gan", functools.partial(_train, packed_archive))


def _train(packed_archive, folder):
    words = ["--preset=test", f"--dataset={packed_archive}", f"--data_dir={folder}/data", "--epochs=40"]
    words += [
        "--measure_every=8",
        "--width=16",
        "--alpha1=0.0001",
        "--g_learning_rate=0.005",
        "--e_learning_rate=0.001",
    ]
    out = run_command("train_vae_gan", f"--workdir={folder}/run", *words).stdout
    assert "kept the models of epoch" in out and (folder / "run" / "samples" / "epoch-00040.png").exists()


def test_the_kept_generator_is_best_at_one_half(trained_vae_gan):
    run = Run(trained_vae_gan / "run")
    known = vae_gan.RECIPE.read_settings(run)
    shapes = Options().load(known, "validation")
    views = load_views(shapes, known.views, known.picture_size, str(trained_vae_gan / "data"))
    metrics = BestReconstructor(run, views, 1)
    restored = vae_gan.load(run).reconstruct(metrics.pictures)
    best = run.result()["best"]
    assert iou(metrics.grids, restored).mean() == pytest.approx(best["val_iou"], abs=1e-4)
    assert iou(metrics.grids, restored).mean() >= iou(metrics.grids, restored, 0.6).mean()


def test_a_drawn_picture_becomes_a_shape(trained_vae_gan, tmp_path):
    for name, size in (("a.png", (200, 120)), ("b.jpg", (64, 64))):
        picture = Image.new("RGB", size, (250, 250, 250))
        ImageDraw.Draw(picture).polygon([(20, 40), (50, 30), (50, 50), (20, 60)], (120, 90, 60))
        picture.save(tmp_path / name)
    run = trained_vae_gan / "run"
    words = ("--format=npy", f"--picture={tmp_path}/seen.png")  # a mesh would need something to be occupied
    out = run_command("reconstruct", f"--model={run}", tmp_path / "a.png", *words).stdout
    assert out.splitlines() == [f"see {tmp_path}/seen.png", f"{tmp_path}/a.npy"]
    (tmp_path / "c.png").write_text("no picture")
    failed = run_command(
        "reconstruct", f"--model={run}", tmp_path, f"--output={tmp_path}/all", "--format=npy", check=False
    )
    assert failed.returncode == 1 and "c.png: no picture" in failed.stderr and "Traceback" not in failed.stderr
    assert np.load(tmp_path / "all" / "b.npy").shape == (32, 32, 32)
    for flags, words in (
        ([f"--model={tmp_path}"], "no training run here"),
        ([f"--model={run}", "--format=off"], "--format: 'off' is not written"),
        ([f"--model={run}", "--format=npy"], "a.npy: is there already; name another --output, or give --overwrite."),
    ):
        failed = run_command("reconstruct", tmp_path / "a.png", *flags, check=False)
        assert failed.returncode == 1 and words in failed.stderr and failed.stderr.count("\n") == 1


def test_the_command_measures_it_beside_the_baselines(trained_vae_gan, tmp_path):
    words = (f"--model={trained_vae_gan}/run", f"--data_dir={trained_vae_gan}/data")
    out = run_command("evaluate_reconstruction", *words, f"--output={tmp_path}/a.json", f"--picture={tmp_path}/a.png")
    content = json.loads((tmp_path / "a.json").read_text())
    rows = content["reconstruction"]
    assert list(rows) == ["3D-VAE-GAN", "nearest training shape (HOG)", "mean shape of the class"]
    assert content["views"] == 12 and "nearest training shape" in out.stdout and (tmp_path / "a.png").exists()
    assert set(rows["3D-VAE-GAN"]["by_class"]) == {"bathtub", "chair"}
    assert 0.1 < rows["3D-VAE-GAN"]["iou"] <= 1 and rows["3D-VAE-GAN"]["shapes"] == 11


def test_measures_worked_out_by_hand():
    shapes = boxes(6)
    rng = np.random.default_rng(0)
    pictures = PictureSet(shapes, rng.integers(0, 256, (6, 2, 32, 32, 4), dtype=np.uint8))
    grids = shapes.grids().astype(np.float32)
    known = {view.tobytes(): grid for views, grid in zip(pictures.views, grids, strict=True) for view in views}

    perfect = evaluate(lambda views, labels: np.stack([known[view.tobytes()] for view in views]), pictures)
    names = ("iou", "average_precision", "iou_all_views", "average_precision_all_views")
    assert [perfect[name] for name in names] == [1, 1, 1, 1] and perfect["by_class"]["tall"]["shapes"] == 3
    # Of two views one gives the shape, the other nothing: half of it from one view; from their mean, 0.5, nothing again.
    half = evaluate(lambda views, labels: np.stack([known[views[0].tobytes()], np.zeros((16,) * 3)]), pictures)
    assert half["iou"] == 0.5 and half["iou_all_views"] == 0 and half["average_precision_all_views"] == 1

    nearest = NearestShape(pictures)
    assert evaluate(nearest, pictures)["iou"] == 1  # of views that it has seen
    mean = MeanShape(shapes, shapes)
    np.testing.assert_array_equal(
        mean(pictures.views[:, 0], shapes.labels)[0], mean(pictures.views[:, 0], shapes.labels)[2]
    )
    one = shapes.take(np.array([0, 1]))  # one of each class
    np.testing.assert_array_equal(MeanShape(one, one)(pictures.views[:2, 0], one.labels) > 0.5, one.grids() > 0)


@pytest.fixture(scope="module")
def latent_words(trained, packed_archive, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("views")
    common = ("--preset=latent", f"--dataset={packed_archive}", f"--autoencoder={trained}/autoencoder")
    common += ("--picture_size=32", "--encoder_width=16", "--batch_size=16", "--epochs=8", "--measure_every=2")
    common += (
        "--augmentation=mirror,stretch",
        "--copies=2",
        "--average=0.9",
        "--warm_up=4",
        f"--data_dir={data_dir}",
    )
    return lambda folder: ("train_vae_gan", f"--workdir={folder}", *common)


@pytest.fixture(scope="module")
def latent_run(latent_words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("latent_vae_gan")
    out = run_command(*latent_words(folder)).stdout
    assert "kept the models of epoch" in out
    return Run(folder)


def test_pictures_become_an_autoencoders_latents(latent_run, trained, tmp_path):
    lines = latent_run.metrics()
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert lines[-1]["step"] == 8 * (latent_run.result()["train_shapes"] // 16)
    assert latent_run.config()["parts"].keys() == {"autoencoder"}
    # The decoder is the autoencoder's, but for the threshold that became one half.
    generator, decoder = vae_gan.load(latent_run).generator, autoencoder.load(Run(trained / "autoencoder")).decoder
    latents = np.random.default_rng(0).normal(size=(4, decoder.latent_size)).astype(np.float32)
    threshold = latent_run.result()["best"]["val_threshold"]
    shift = -np.log(threshold / (1 - threshold))
    np.testing.assert_allclose(generator(latents), decoder(latents) + shift, atol=1e-4)
    words = ("export_models", f"--model={latent_run.path}", f"--output={tmp_path}/served", "--nowarmup")
    run_command(*words)
    assert {path.name for path in (tmp_path / "served").iterdir()} >= {"generator", "picture_encoder"}
    # Nobody knows how its latents are distributed, so it draws none.
    assert tf.saved_model.load(tmp_path / "served" / "generator" / "1").signatures.keys() == {"serving_default"}


def test_its_kept_models_are_the_running_mean(latent_run, latent_words):
    known = vae_gan.RECIPE.read_settings(latent_run)
    data_dir = next(word for word in latent_words("") if "data_dir" in word).partition("=")[2]
    views = load_views(Options().load(known, "validation"), known.views, known.picture_size, data_dir)
    metrics = BestReconstructor(latent_run, views, 1)
    restored = vae_gan.load(latent_run).reconstruct(metrics.pictures)
    assert iou(metrics.grids, restored).mean() == pytest.approx(latent_run.result()["best"]["val_iou"], abs=1e-4)


def test_the_mirror_image_of_a_picture_gives_the_mirror_image_of_its_shape(latent_run):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 4), dtype=np.uint8)
    reconstructor = vae_gan.load(latent_run)
    made = reconstructor.reconstruct(pictures)
    np.testing.assert_allclose(reconstructor.reconstruct(pictures[:, :, ::-1]), made[:, ::-1], atol=1e-5)
    assert np.ptp(made) > 0.1 and np.abs(made - made[:, ::-1]).max() > 1e-3


def test_mirrored_pictures_have_the_latents_of_mirrored_shapes(trained):
    shapes = boxes(8, 32)
    codec = autoencoder.load(Run(trained / "autoencoder"))
    latents = np.stack([latents_of(codec, shapes, mirrored) for mirrored in (False, True)])
    np.testing.assert_allclose(latents[1][:2], codec.analyse(shapes.grids()[:2, ::-1]), atol=1e-5)
    views = np.zeros((8, 1, 32, 32, 4), np.uint8)
    views[..., 3] = 255
    views[:, :, :, :4, 0] = 255  # red on the left
    views[..., 1] = 30 * np.arange(8)[:, None, None, None]  # and as green as its shape's number
    batches = iter(data.picture_batches(shapes, views, 64, 0, latents=latents))
    pictures, wanted = map(np.asarray, next(batches))
    mirrored = pictures[:, 0, -1, 0] > 0.5
    assert 10 < mirrored.sum() < 54 and (mirrored != (pictures[:, 0, 0, 0] > 0.5)).all()
    for flag in (0, 1):
        shown = np.round(pictures[mirrored == flag][:, 0, 0, 1] * 255 / 30).astype(int)
        np.testing.assert_array_equal(wanted[mirrored == flag], latents[flag][shown])


def test_the_latent_variant_needs_an_autoencoder(packed_archive, trained, tmp_path):
    common = (f"--workdir={tmp_path}/run", f"--dataset={packed_archive}", f"--data_dir={tmp_path}")
    renderings = tmp_path / "renderings"
    (renderings / "03001627" / "abc" / "rendering").mkdir(parents=True)
    for flags, sentence in (
        (("--preset=latent",), "--autoencoder: give the run of a trained autoencoder"),
        (("--preset=test", f"--autoencoder={trained}/autoencoder"), "--autoencoder: only variant latent takes one"),
        (
            (
                "--preset=latent",
                f"--autoencoder={trained}/autoencoder",
                "--augmentation=mirror",
                f"--views={renderings}",
            ),
            f"--augmentation: pictures of {renderings} do not show 'mirror'",
        ),
        (
            ("--preset=latent", f"--autoencoder={trained}/autoencoder", "--copies=2"),
            "--copies: copies that nothing changes are all alike",
        ),
    ):
        failed = run_command("train_vae_gan", *common, *flags, check=False)
        assert failed.returncode == 1 and sentence in failed.stderr and failed.stderr.count("\n") == 1, failed.stderr
        assert not (tmp_path / "run" / "config.json").exists()
