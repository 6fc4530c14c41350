import dataclasses
import json

import pytest

from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result
from keras3dgan.recipes import recipe_of
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


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[]", b'{"kind": "gan"', b"\xff\xfe", b"[" * 100_000, b'{"kind": 3, "settings": {}}']
    + [b'{"kind": "gan", "settings": {}, "parts": 7}', b'{"kind": "gan", "settings": []}'],
)
def test_a_damaged_config_is_a_sentence(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    for action in (lambda run: run.kind, lambda run: run.start("gan", GANSettings()), recipe_of):
        with pytest.raises(InputError, match="config.json: .*; choose another run"):
            action(Run(tmp_path))


def test_settings_and_metrics_of_other_types(tmp_path):
    run = Run(tmp_path)
    for name, value in (("epochs", [1]), ("seed", None), ("classes", 7), ("seed", "0"), ("width", 0.5)):
        settings = {**dataclasses.asdict(GANSettings()), name: value}
        (tmp_path / "config.json").write_text(json.dumps({"kind": "gan", "settings": settings}))
        with pytest.raises(InputError, match=f"{name}: must be of the kind of .*; choose another run"):
            recipe_of(run).read_settings(run)
    lines = ['{"epoch": 1, "step": "9"}', '{"epoch": 1, "step": 2}', "[" * 100_000, '{"epoch": [], "step": 3}', "null"]
    run.metrics_file.write_text("\n".join(lines))
    run.drop_metrics_after(5)
    assert run.metrics() == [{"epoch": 1, "step": 2}]
