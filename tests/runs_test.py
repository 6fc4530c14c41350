import json

import pytest

from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result
from keras3dgan.recipes.gan import GANSettings
from keras3dgan.recipes.voxnet import VoxNetSettings
from keras3dgan.runs import Run
from keras3dgan.training.model_files import load_model


def test_a_run_is_recognised_by_its_settings(tmp_path):
    run = Run(tmp_path / "run")
    run.start("gan", GANSettings(width=32))
    run.start("gan", GANSettings(width=32, epochs=900))
    assert run.config()["settings"]["epochs"] == 900
    assert {"commit", "versions", "hardware", "settings", "kind"} <= set(run.config())
    with pytest.raises(InputError, match="started with width 32, not 64"):
        run.start("gan", GANSettings(width=64))
    with pytest.raises(InputError, match="of kind 'gan'"):
        run.start("voxnet", VoxNetSettings())


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.doc").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        Run(tmp_path).start("gan", GANSettings())
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.doc"]


def test_metrics_survive_a_torn_line(tmp_path):
    run = Run(tmp_path)
    for step in (1, 2, 3):
        run.add_metrics({"epoch": step, "step": step, "loss": 0.5})
    with open(run.metrics_file, "a") as file:
        file.write('{"epoch": 4, "step": 4, "lo')
    assert [line["step"] for line in run.metrics()] == [1, 2, 3]
    run.drop_metrics_after(2)
    assert [line["step"] for line in run.metrics()] == [1, 2]


def test_missing_and_damaged_models(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(InputError, match="no training run here"):
        run.config()
    with pytest.raises(InputError, match="has no encoder.keras yet"):
        load_model(run, "encoder")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "encoder.keras").write_bytes(b"junk")
    with pytest.raises(InputError, match="damaged model file"):
        load_model(run, "encoder")


def test_results_say_where_they_come_from(tmp_path):
    write_result(tmp_path / "r.json", "evaluate", {"iou": 1})
    content = json.loads((tmp_path / "r.json").read_text())
    assert content["iou"] == 1 and content["command"] == "evaluate"
    assert {"date", "commit", "versions", "hardware"} <= set(content)
