"""The commands as a person runs them: subprocesses, on tiny real trainings."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import trimesh

import keras3dgan
from keras3dgan import codec, recipes
from keras3dgan.commands.main import commands
from keras3dgan.errors import InputError
from keras3dgan.export import web_export
from keras3dgan.runs import Run
from keras3dgan.serving.client import Client
from keras3dgan.voxels import io
from keras3dgan.voxels.grid import iou
from tests.conftest import boxes, command_environment, run_command


def _fails(*words, status):
    result = run_command(*words, check=False)
    assert result.returncode == status, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("name", commands())
def test_help_is_short_and_names_its_groups(name):
    text = run_command(name, "--help").stdout
    assert "Infrastructure flags:" in text and f"keras3dgan {name}" in text
    assert len(text.splitlines()) < 64 and max(map(len, text.splitlines())) < 125


def test_the_console_script_lists_and_runs_commands():
    def script(*words):
        command = [sys.executable, "-m", "keras3dgan", *words]
        return subprocess.run(command, capture_output=True, text=True, env=command_environment())

    listed = script("--help").stdout
    assert set(commands()) <= set(listed.split())
    assert script().returncode == script("bake").returncode == 2
    assert script("generate", "--help").stdout == run_command("generate", "--help").stdout


def test_unknown_arguments_are_refused(tmp_path):
    assert "bogus" in _fails("train_gan", f"--workdir={tmp_path}", "--bogus=1", status=2)
    assert "'chairs'" in _fails("train_gan", f"--workdir={tmp_path}", "chairs", status=2)
    assert _fails("train_gan", status=2) == "keras3dgan train_gan: give --workdir (see --help)\n"
    assert "--preset" in _fails("train_gan", f"--workdir={tmp_path}/x", "--preset=huge", status=1)
    assert "--real_labels" in _fails("train_gan", f"--workdir={tmp_path}/x", "--real_labels=0.7", status=1)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train_gan", "--preset=r3gan", "--diff_augment=tilt"), "--diff_augment: 'tilt' is unknown"),
        (
            ("train_gan", "--preset=latent", "--augmentation=none"),
            "--copies: copies that nothing changes are all alike",
        ),
        (("train_gan", "--g_learning_rate=inf"), "--g_learning_rate: must be a finite number"),
        (("train_gan", "--penalty_weight=3"), "--penalty_weight: is no setting of variant 'gan'"),
        (("train_gan", "--preset=latent", "--init_occupied=0"), "--init_occupied: is no setting of variant 'latent'"),
        (("train_octree", "--augmentation=flip"), "--augmentation: octree models turn and shift shapes always"),
        (
            ("train_compressor", "--decoder=scratch", "--gan=gan_furniture_32", "--voxnet=voxnet_furniture_32"),
            "--gan: decoder scratch starts from none",
        ),
    ],
)
def test_what_would_do_nothing_is_refused(words, message, tmp_path):
    error = _fails(*words, f"--workdir={tmp_path}/run", status=1)
    assert message in error and error.count("\n") == 1 and not (tmp_path / "run/config.json").exists()


@pytest.mark.parametrize("flag", ["--mean_bytes=nan", "--read_seconds=nan", "--read_seconds=inf"])
def test_numbers_that_are_none_are_refused(flag, tmp_path):
    np.save(tmp_path / "a.npy", boxes(1, 32).grids()[0])
    error = _fails("compress", flag, tmp_path / "a.npy", status=1)
    assert flag.partition("=")[0] in error and error.count("\n") == 1


def test_bounds_of_the_server_and_its_client(tmp_path):
    for flag in ("--port=99999", "--max_batch=-1", "--poll_seconds=-1"):
        error = _fails("serve", f"--models={tmp_path}", flag, status=1)
        assert f"{flag.partition('=')[0]}: must be" in error and error.count("\n") == 1
    with pytest.raises(InputError, match="retries: must be at least 0, got -1"):
        Client("http://localhost:8501", retries=-1)


def test_refining_replaces_nothing_unasked(tmp_path):
    np.save(tmp_path / "chair.npy", boxes(1, 16).grids()[0])
    (tmp_path / "chair.glb").write_text("my own")
    assert "--overwrite" in _fails("refine", tmp_path / "chair.npy", status=1)
    assert (tmp_path / "chair.glb").read_text() == "my own"


def test_without_tensorflow_there_is_one_sentence(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ModuleNotFoundError(name='tensorflow')\n")
    environment = command_environment()
    environment["PYTHONPATH"] = f"{tmp_path}:{environment['PYTHONPATH']}"
    command = [sys.executable, "-m", "keras3dgan", "train_gan", f"--workdir={tmp_path}/run"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 1 and "pip install '.[cpu]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_finished_runs_say_so(trained, packed_archive):
    common = ("--preset=test", f"--dataset={packed_archive}", "--batch_size=16")
    assert "finished already" in run_command("train_gan", f"--workdir={trained}/gan", *common).stdout
    config = (trained / "gan" / "config.json").read_bytes()
    assert "finished already" in run_command("train_gan", f"--workdir={trained}/gan", *common, "--epochs=1").stdout
    assert (trained / "gan" / "config.json").read_bytes() == config
    assert "width" in _fails("train_gan", f"--workdir={trained}/gan", *common, "--width=16", status=1)


def test_what_goes_on_is_not_finished(trained, packed_archive, tmp_path):
    shutil.copytree(trained / "autoencoder", tmp_path / "run")
    run = Run(tmp_path / "run")
    run.reopen(recipes.recipe("autoencoder").read_settings(run))
    with pytest.raises(InputError, match="no entropy tables here"):
        recipes.load_codec(run.path)
    words = ("--preset=latent", f"--dataset={packed_archive}", f"--autoencoder={run.path}", f"--workdir={tmp_path}/b")
    assert f"--autoencoder: {run.path} has not finished its training" in _fails("train_gan", *words, status=1)


def test_whoever_reads_the_output_may_leave(tmp_path):
    np.save(tmp_path / "a.npy", boxes(1, 32).grids()[0])
    words = f"{sys.executable} -m keras3dgan compress {tmp_path}/a.npy; echo $? >&2"
    shown = subprocess.run(
        ["bash", "-c", f"({words}) | true"], capture_output=True, text=True, env=command_environment()
    )
    assert shown.stderr == "1\n"


def test_run_directories_are_complete(trained):
    for kind in ("gan", "voxnet", "compressor", "autoencoder"):
        run = trained / kind
        for name in ("config.json", "metrics.jsonl", "result.json", "checkpoints", "events", "models"):
            assert (run / name).exists(), (kind, name)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert [line["epoch"] for line in lines] == list(range(1, len(lines) + 1))
    assert {"val_iou", "val_loss", "iou", "perceptual_loss"} <= set(lines[-1]) | {"perceptual_loss"}
    assert (trained / "gan" / "samples" / "epoch-00003.png").stat().st_size > 1000
    assert 0 <= json.loads((trained / "voxnet" / "result.json").read_text())["test_accuracy"] <= 1


def test_generate(trained, tmp_path):
    run_command("generate", f"--model={trained}/gan", f"--output={tmp_path}/a", "--count=3", "--format=npy")
    run_command("generate", f"--model={trained}/gan", f"--output={tmp_path}/b", "--count=3", "--format=npy")
    assert (tmp_path / "a" / "shapes.png").exists()
    for path in (tmp_path / "a").glob("*.npy"):
        np.testing.assert_array_equal(np.load(path), np.load(tmp_path / "b" / path.name))
    assert "kind 'voxnet'" in _fails("generate", f"--model={trained}/voxnet", f"--output={tmp_path}/c", status=1)
    assert "--format" in _fails(
        "generate", f"--model={trained}/gan", f"--output={tmp_path}/c", "--format=doc", status=1
    )


def test_compress_and_decompress_a_mesh(trained, tmp_path):
    trimesh.creation.box((2, 3, 1)).export(tmp_path / "box.obj")
    model = f"--model={trained}/autoencoder"
    out = run_command("compress", model, tmp_path / "box.obj").stdout
    size = (tmp_path / "box.g3c").stat().st_size
    assert f"{size}.0 bytes a shape" in out and "; IoU " in out and size < 7 + 2 * 16
    run_command("decompress", model, tmp_path / "box.g3c", f"--output={tmp_path}/again.npy")
    original, restored = io.read_shape(tmp_path / "box.obj", 32), np.load(tmp_path / "again.npy")
    assert restored.shape == (32, 32, 32) and 0 <= iou(original[None], restored[None])[0] <= 1


def test_folders_keep_their_tree_and_go_past_bad_files(trained, tmp_path):
    grids = boxes(3, 32).grids()
    (tmp_path / "in" / "deep").mkdir(parents=True)
    np.save(tmp_path / "in" / "a.npy", grids[0])
    np.save(tmp_path / "in" / "deep" / "b.npy", grids[1])
    (tmp_path / "in" / "deep" / "bad.stl").write_text("not a mesh")
    model = f"--model={trained}/autoencoder"
    error = _fails("compress", model, f"--output={tmp_path}/out", tmp_path / "in", status=1)
    assert "1 of 3" in error and "bad.stl" in error
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.g3c")) == [
        "a.g3c",
        "deep/b.g3c",
    ]
    run_command("decompress", model, "--format=binvox", f"--output={tmp_path}/back", tmp_path / "out")
    assert len(list((tmp_path / "back").rglob("*.binvox"))) == 2


def test_bad_streams_get_one_sentence_and_write_nothing(trained, tmp_path):
    np.save(tmp_path / "a.npy", boxes(1, 32).grids()[0])
    run_command("compress", f"--model={trained}/autoencoder", tmp_path / "a.npy")
    content = (tmp_path / "a.g3c").read_bytes()
    cases = {"cut.g3c": content[:-1], "foreign.g3c": b"\x89PNG" * 20, "flip.g3c": content[:8] + b"\xff" + content[9:]}
    for name, bad in cases.items():
        (tmp_path / name).write_bytes(bad)
        error = _fails("decompress", f"--model={trained}/autoencoder", tmp_path / name, status=1)
        assert error.count("\n") == 1 and name in error
        assert not (tmp_path / name).with_suffix(".glb").exists()
    assert "written by model" in _fails("decompress", f"--model={trained}/compressor", tmp_path / "a.g3c", status=1)
    assert "no run" in _fails("decompress", f"--model={tmp_path}", tmp_path / "a.g3c", status=1)
    assert "doc" in _fails("decompress", f"--model={trained}/autoencoder", tmp_path / "a.g3c", "--format=doc", status=1)


def test_evaluate_and_report(trained, tmp_path):
    models = f"--models={trained}/compressor,{trained}/autoencoder"
    result, picture = tmp_path / "r.json", tmp_path / "p.png"
    out = run_command(
        "evaluate", models, f"--output={result}", f"--picture={picture}", f"--trainings={trained}/gan"
    ).stdout
    content = json.loads(result.read_text())
    assert len(content["codecs"]) == 3 and len(content["trainings"]) == 3 and picture.stat().st_size > 1000
    assert all(name in out for name in content["codecs"])
    assert all(row["shapes"] == 11 and 0 <= row["iou"] <= 1 for row in content["codecs"].values())
    runs = ",".join(f"{trained}/{kind}" for kind in ("gan", "voxnet", "compressor", "autoencoder"))
    run_command("report", f"--runs={runs}", f"--output={tmp_path}/r.html", f"--pictures={tmp_path}", "--name=x")
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/png") >= 4 and "byte ratio" in page
    assert (tmp_path / "x_gan_samples.png").exists() and (tmp_path / "x_voxnet_curves.png").exists()
    assert "no training run" in _fails("evaluate", f"--models={tmp_path}", f"--output={tmp_path}/no.json", status=1)


def test_a_compressor_needs_fitting_parts(trained, packed_archive, tmp_path):
    words = ("train_compressor", f"--workdir={tmp_path}/c", "--preset=test", f"--dataset={packed_archive}")
    assert "--gan" in _fails(*words, f"--voxnet={trained}/voxnet", status=1)
    assert "--width" in _fails(*words, f"--voxnet={trained}/voxnet", f"--gan={trained}/gan", "--width=16", status=1)
    assert "is of kind 'gan'; give one of train_voxnet" in _fails(
        *words, f"--voxnet={trained}/gan", f"--gan={trained}/gan", status=1
    )


def test_a_full_disk_names_the_file_also_where_tensorflow_finds_it(tmp_path, monkeypatch):
    def fill(kind):
        raise tf.errors.ResourceExhaustedError(
            None, None, "{{node}} /a/events.v2; No space left on device\n\tFlushing."
        )

    monkeypatch.setattr("keras3dgan.commands.train.main", fill)
    error = _fails("train_voxnet", f"--workdir={tmp_path}/run", status=1)
    assert (
        error
        == "keras3dgan train_voxnet: /a/events.v2: No space left on device; check the folder and its free space.\n"
    )


@pytest.mark.slow
def test_demo(tmp_path):
    out = run_command("demo", "--epochs=1", f"--output={tmp_path}/demo").stdout
    assert "PCA" in out and "Autoencoder" in out and "octree32_open, exact" in out and "162 test shapes" in out
    assert "12 shapes of 32^3 voxels" in out and "every voxel exact" in out
    assert len(list((tmp_path / "demo" / "files").glob("*.g3c"))) == 12
    assert "Drag a shape" in (tmp_path / "demo" / "shapes.html").read_text()
    assert (tmp_path / "demo" / "report.html").read_text().count("data:image/png") >= 4


def test_a_site_is_decoded_by_the_model_that_wrote_its_archive(tmp_path):
    np.save(tmp_path / "a.npy", boxes(1, 64).grids()[0])
    run_command("compress", tmp_path / "a.npy", "--model=octree64", f"--output={tmp_path}/a.g3a")
    words = ("export_models", "--format=web", f"--archive={tmp_path}/a.g3a")
    run_command(*words, f"--output={tmp_path}/site")
    web_export.write_web_model(codec.load("octree64").octree, tmp_path / "octree64.g3m")
    assert (tmp_path / "site" / "model.g3m").read_bytes() == (tmp_path / "octree64.g3m").read_bytes()
    header = bytearray((tmp_path / "a.g3a").read_bytes())
    header[4:7] = b"abc"
    (tmp_path / "a.g3a").write_bytes(header)
    assert "no model of this package wrote it; give the one that did." in _fails(
        *words, f"--output={tmp_path}/other", status=1
    )
    assert "--model: give a run or a preset." in _fails("export_models", f"--output={tmp_path}/other", status=1)


@pytest.mark.parametrize(("number", "word", "status"), [("SIGINT", "stopped", 130), ("SIGTERM", "terminated", 143)])
def test_an_interrupt_amid_an_import_is_not_swallowed(number, word, status, tmp_path):
    swallows = f"import os, signal\ntry:\n    os.kill(os.getpid(), signal.{number})\nexcept BaseException:\n    pass\n"
    (tmp_path / "swallows.py").write_text(swallows)
    words = "from keras3dgan.commands import interrupts; interrupts.catch(); import swallows; print('went on')"
    command = [sys.executable, "-c", words]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=command_environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell's background has taken away
    )
    assert (result.returncode, result.stderr, result.stdout) == (status, f"keras3dgan: {word}\n", "")


def test_version():
    assert run_command("--version").stdout == f"keras3dgan {keras3dgan.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compress", "nosuch.obj"), "nosuch.obj: no such file."),
        (("compress", "https://example.com/chair.obj"), "https://example.com/chair.obj: is an address; fetch the file"),
        (("generate", "--output=one.glb"), "--output: one.glb names a file, and several shapes are written"),
        (
            ("generate", "--output=taken.txt/shapes"),
            "taken.txt/shapes: is a file, or a file is above it; name a folder.",
        ),
    ],
)
def test_places_that_cannot_be(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken.txt").write_text("mine")
    assert message in _fails(*words, status=1)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.txt"]


def test_drawn_again_it_tells_of_what_lies_there(tmp_path):
    run_command("generate", f"--output={tmp_path}", "--count=2", "--format=npy")
    out = run_command("generate", f"--output={tmp_path}", "--count=1", "--format=npy").stdout
    assert out.startswith(f"{tmp_path}: 1 shapes beside 1 files of earlier ones; see")
