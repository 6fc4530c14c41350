"""The commands on Keras's JAX backend, with TensorFlow beside it and without."""

import json
import subprocess
import sys

import pytest

from tests.conftest import command_environment, needs_jax, run_command


def _words(workdir, archive, epochs, measure_every=0):
    common = ["--preset=test", "--resolution=16", f"--dataset={archive}", "--batch_size=24"]
    return [f"--workdir={workdir}", *common, f"--epochs={epochs}", f"--measure_every={measure_every}"]


@needs_jax
def test_a_checkpoint_goes_on_on_the_other_backend(packed_archive, tmp_path, monkeypatch):
    for epochs, backend in ((1, "tensorflow"), (2, "jax"), (3, "tensorflow")):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        out = run_command("train_gan", *_words(tmp_path / "run", packed_archive, epochs)).stdout
        if epochs > 1:
            assert f"going on after epoch {epochs - 1} of {epochs}" in out
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def _run_without(modules, backend, *words):
    """Runs `keras3dgan <words>` in an interpreter that has not these modules; backend None names none."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r})); from keras3dgan.commands.main import main; main()"
    )
    environment = command_environment()
    environment.pop("KERAS_BACKEND", None)
    if backend:
        environment["KERAS_BACKEND"] = backend
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


@needs_jax
@pytest.mark.slow  # half a minute; the test below has JAX train
def test_trains_and_generates_where_there_is_no_tensorflow(packed_archive, tmp_path):
    def run(*words):
        return _run_without(("tensorflow", "tensorflow_datasets", "tensorboard"), "jax", *words)

    result = run("train_gan", *_words(tmp_path / "gan", packed_archive, 1, measure_every=1))
    assert result.returncode == 0, result.stderr[-3000:]
    assert "no TensorBoard events, which need TensorFlow" in result.stdout and "kept the generator" in result.stdout
    result = run("generate", f"--model={tmp_path}/gan", "--count=2", f"--output={tmp_path}/shapes")
    assert result.returncode == 0, result.stderr[-3000:]
    assert (tmp_path / "shapes" / "shapes.png").exists()
    result = run("train_gan", f"--workdir={tmp_path}/modelnet", "--preset=test", "--dataset=modelnet_voxels")
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
    assert "is read by TensorFlow Datasets; type pip install '.[cpu]'" in result.stderr


@pytest.mark.parametrize(
    ("backend", "hidden", "words"),
    [
        ("torch", (), "KERAS_BACKEND: must be tensorflow or jax, got 'torch'."),
        (None, ("tensorflow",), "keras3dgan train_gan: needs tensorflow; type pip install '.[cpu]' in the checkout.\n"),
        ("jax", ("jax",), "jax is not installed; type pip install '.[jax]'"),
        ("tensorflow", ("tensorflow",), "tensorflow is not installed; type pip install '.[cpu]'"),
    ],
)
def test_a_backend_that_is_not_there_gets_a_sentence(backend, hidden, words, packed_archive, tmp_path):
    result = _run_without(hidden, backend, "train_gan", *_words(tmp_path / "run", packed_archive, 1))
    assert result.returncode == 1 and result.stderr.count("\n") == 1 and words in result.stderr, result.stderr
    assert not (tmp_path / "run").exists()


@needs_jax
def test_several_hosts_are_tensorflows(packed_archive, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    words = [*_words(tmp_path / "run", packed_archive, 1), "--strategy=multi_worker"]
    result = run_command("train_gan", *words, check=False)
    assert result.returncode == 1 and "--strategy: multi_worker is for TensorFlow" in result.stderr
