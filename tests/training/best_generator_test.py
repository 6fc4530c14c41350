"""What the metrics of generation do to a training: measured on time, best kept, collapse told, stopped early."""

import json

import keras
import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.metrics.generation import GenerationProtocol
from keras3dgan.models.voxnet import VoxNet
from keras3dgan.recipes import gan
from keras3dgan.runs import Run
from keras3dgan.training import best_generator, loop
from keras3dgan.training.options import Options
from tests.conftest import boxes, run_command

_TRAIN, _HELD_OUT = boxes(40, seed=1), boxes(10, seed=2)


@pytest.fixture
def callback(tmp_path):
    """A callback on a model that does not train, with scores given by the test."""
    model = gan.build(gan.RECIPE.make_settings("test", resolution=16, width=4, latent_size=8))
    protocol = best_generator.protocol(_TRAIN, _HELD_OUT)
    latents = best_generator.latents(protocol.count, 8, 0.33, 0)
    made = best_generator.BestGenerator(Run(tmp_path), protocol, latents, every=2, patience=2)
    made.set_model(model)
    made.set_params({"epochs": 20})
    made.on_train_begin()
    return made


def _measure(callback, monkeypatch, scores, first_epoch=1):
    """Ends two epochs for each score and returns the logs of the second ones."""
    logs = []
    real = GenerationProtocol.measure
    for index, score in enumerate(scores):
        with monkeypatch.context() as patch:
            patch.setattr(
                GenerationProtocol, "measure", lambda self, shapes, s=score: {**real(self, shapes), "score": s}
            )
            for epoch in (first_epoch + 2 * index, first_epoch + 2 * index + 1):
                logs.append({"g_loss": 1.0})
                callback.on_epoch_end(epoch - 1, logs[-1])
    return logs


def test_measured_every_second_epoch_and_after_the_last(callback, monkeypatch):
    logs = _measure(callback, monkeypatch, [0.9, 0.8])
    assert ["generated_score" in each for each in logs] == [False, True, False, True]
    assert logs[1]["generated_score"] == 0.9 and "generated_coverage_iou" in logs[1]
    last = {"g_loss": 1.0}
    callback.on_epoch_end(18, last)
    assert "generated_score" not in last
    callback.on_epoch_end(19, last)
    assert "generated_score" in last


def test_the_best_generator_is_kept(callback, monkeypatch):
    path = callback.run.path / "models" / "generator.keras"
    _measure(callback, monkeypatch, [0.9])
    kept = path.read_bytes()
    for variable in callback.model.best_generator.variables:
        variable.assign(variable + 1.0)
    _measure(callback, monkeypatch, [0.95], first_epoch=3)
    assert path.read_bytes() == kept and callback.result()["epoch"] == 2
    _measure(callback, monkeypatch, [0.7], first_epoch=5)
    assert path.read_bytes() != kept and callback.result()["epoch"] == 6 and callback.result()["score"] == 0.7
    restored = keras.saving.load_model(path)
    for a, b in zip(restored.variables, callback.model.best_generator.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_training_ends_when_nothing_gets_better(callback, monkeypatch, capsys):
    callback.model.stop_training = False
    _measure(callback, monkeypatch, [0.9, 0.8, 0.85])
    assert not callback.model.stop_training
    _measure(callback, monkeypatch, [0.84], first_epoch=7)
    assert callback.model.stop_training and "no better score in 2 measurements" in capsys.readouterr().out


def test_a_resumed_run_remembers_its_best(callback, monkeypatch, tmp_path):
    for epoch, score in ((2, 0.9), (4, 0.6), (6, 0.7)):
        callback.run.add_metrics({"epoch": epoch, "step": epoch, "seconds": 1.0, "generated_score": score})
    callback.on_train_begin()
    assert callback.best["epoch"] == 4 and callback.since_best == 1
    _measure(callback, monkeypatch, [0.65], first_epoch=7)
    assert not (tmp_path / "models").exists() and callback.model.stop_training


def test_a_run_that_patience_ended_before_its_result_was_written_is_over(callback):
    for epoch, score in ((2, 0.9), (4, 0.95), (6, 0.7), (8, 0.8)):
        callback.run.add_metrics({"epoch": epoch, "step": epoch, "seconds": 1.0, "generated_score": score})
    assert not loop._is_over(Options(callbacks=(callback,)))
    callback.run.add_metrics({"epoch": 10, "step": 10, "seconds": 1.0, "generated_score": 0.75})
    assert loop._is_over(Options(callbacks=(callback,)))


def test_stopped_between_measurements_and_asked_for_no_more(packed_archive, tmp_path):
    words = ("train_gan", f"--workdir={tmp_path}", "--preset=test", f"--dataset={packed_archive}", "--measure_every=9")
    run_command(*words)
    run = Run(tmp_path)
    lines, result, generator = run.metrics(), run.result(), (tmp_path / "models" / "generator.keras").read_bytes()
    # As it was before the measurement after the last epoch.
    run.replace_last_metrics({name: value for name, value in lines[-1].items() if "generated" not in name})
    (tmp_path / "result.json").unlink()
    (tmp_path / "models" / "generator.keras").unlink()
    run_command(*words)
    assert run.metrics() == lines and run.result()["best"] == result["best"]
    again = keras.saving.load_model(tmp_path / "models" / "generator.keras")
    (tmp_path / "before.keras").write_bytes(generator)
    for a, b in zip(again.variables, keras.saving.load_model(tmp_path / "before.keras").variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_lasting_collapse_is_told_once(callback, capsys):
    callback.model.best_generator.get_layer("logits").bias.assign([100.0])  # full cubes, as the report's at 64^3
    for epoch in range(10):
        callback.on_epoch_end(epoch, {"g_loss": 1.0})
    [line] = [line for line in capsys.readouterr().out.splitlines() if "collapsed" in line]
    assert "the generator has collapsed at epoch 8: samples occupy 100.0% of the volume" in line


def test_a_generator_on_its_way_has_not_collapsed(callback, monkeypatch, capsys):
    callback.patience = 0
    callback.model.best_generator.get_layer("logits").bias.assign(
        [-100.0]
    )  # empty, as generators start that are sparse
    _measure(callback, monkeypatch, [0.99, 0.99, 0.99, 0.96, 0.93, 0.9])
    assert "collapsed" not in capsys.readouterr().out
    _measure(callback, monkeypatch, [0.9, 0.899, 0.898], first_epoch=13)
    assert "collapsed at epoch 18" in capsys.readouterr().out


def test_nothing_is_measured_after_a_loss_that_is_not_finite(callback):
    logs = {"g_loss": float("nan")}
    callback.on_epoch_end(1, logs)
    assert set(logs) == {"g_loss"}


def test_protocol_takes_200_shapes_at_most_and_features_of_a_voxnet():
    assert best_generator.protocol(_TRAIN, boxes(230)).count == 200
    measured = best_generator.protocol(_TRAIN, _HELD_OUT, VoxNet(2, 16, 4)).ceiling()
    assert measured["frechet"] > 0
    with pytest.raises(InputError, match="two held-out shapes at least"):
        best_generator.protocol(_TRAIN, _HELD_OUT.take(np.array([0])))
    with pytest.raises(InputError, match=r"is for 32\^3, the shapes are 16\^3"):
        best_generator.protocol(_TRAIN, _HELD_OUT, VoxNet(2, 32, 4))


def test_generate_thresholds_occupancy():
    class Half(keras.Model):
        def call(self, latents, training=None):
            return keras.ops.reshape(latents, (-1, 2, 2, 2, 1))

    logits = np.linspace(-2, 2, 8 * 60).reshape(60, 8).astype(np.float32)
    np.testing.assert_array_equal(best_generator.generate(Half(), logits).ravel(), logits.ravel() > 0)


def test_commands_measure_generators_and_features(trained, packed_archive, tmp_path):
    """On a finished run, and the files that they write."""
    words = ("evaluate_gan", f"--models={trained}/gan", f"--output={tmp_path}/g.json", f"--picture={tmp_path}/g.png")
    out = run_command(*words, f"--voxnet={trained}/voxnet").stdout
    content = json.loads((tmp_path / "g.json").read_text())
    real, made = (content["generators"][name] for name in ("training shapes", f"{trained}/gan"))
    assert real["score"] < made["score"] and made["frechet"] > 0 and content["shapes"] == 11
    assert (tmp_path / "g.png").read_bytes()[:4] == b"\x89PNG" and "split, means of 5 draws; wrote" in out
    assert 0 < real["score_stddev"] < 0.2
    training = content["trainings"][f"{trained}/gan"]
    assert training["commit"] and training["best"]["epoch"] == 3 and training["seconds"] > 0
    run_command("evaluate_features", f"--model={trained}/gan", f"--output={tmp_path}/f.json")
    rows = json.loads((tmp_path / "f.json").read_text())["features"]
    # Flat and tall boxes: any features tell them apart.
    assert rows["trained"]["test_accuracy"] > 0.9 and rows["trained"]["features"] == 8 * (2 + 4 + 8)
    result = run_command("evaluate_gan", f"--models={trained}/voxnet", f"--output={tmp_path}/x.json", check=False)
    assert result.returncode == 1 and "a run of kind 'voxnet' has no generator; give one of train_gan" in result.stderr
    assert not (tmp_path / "x.json").exists()
