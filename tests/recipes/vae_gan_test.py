"""From pictures to shapes by the commands: trained, measured, used on pictures that somebody else made."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras3dgan.evaluation.reconstructions import MeanShape, NearestShape, evaluate
from keras3dgan.pictures.picture_set import PictureSet, load_views
from keras3dgan.recipes import vae_gan
from keras3dgan.runs import Run
from keras3dgan.training.best_reconstructor import BestReconstructor
from keras3dgan.training.options import Options
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, run_command


@pytest.fixture(scope="module")
def trained_vae_gan(packed_archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vae_gan")
    words = ["--preset=test", f"--dataset={packed_archive}", f"--data_dir={folder}/data", "--epochs=100"]
    words += [
        "--measure_every=20",
        "--width=16",
        "--alpha1=0.0001",
        "--g_learning_rate=0.005",
        "--e_learning_rate=0.001",
    ]
    out = run_command("train_vae_gan", f"--workdir={folder}/run", *words).stdout
    assert "kept the models of epoch" in out and (folder / "run" / "samples" / "epoch-00100.png").exists()
    return folder


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
