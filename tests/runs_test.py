import dataclasses
import json

import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.provenance import write_result
from keras3dgan.recipes import recipe_of
from keras3dgan.recipes.voxnet import VoxNetSettings
from keras3dgan.runs import Run
from keras3dgan.training.gan_settings import GANSettings
from keras3dgan.training.model_files import load_model


def test_a_run_is_recognised_by_its_settings(tmp_path):
    run = Run(tmp_path / "run")
    run.start("gan", GANSettings(width=32))
    run.start("gan", GANSettings(width=32, epochs=900))
    assert run.config()["settings"]["epochs"] == 300  # nothing has been trained further yet
    run.reopen(GANSettings(width=32, epochs=900))
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
        run.add_metrics({"epoch": step, "step": step, "seconds": 1.5, "loss": 0.5})
    with open(run.metrics_file, "ab") as file:
        file.write(
            b'[]\n{"epoch": 4, "step": 4}\n{"epoch": 4, "step": 4, "seconds": "1"}\n\xff\n{"epoch": 4, "step": 4, "lo'
        )
    assert [line["step"] for line in run.metrics()] == [1, 2, 3]
    run.drop_metrics_after(2)
    assert [line["step"] for line in run.metrics()] == [1, 2]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"3", b'{"kind', b"\xff\xfe", b"[" * 100_000, b'{"kind": 3}', b'{"epochs": "3"}']
)
def test_damaged_files_get_a_sentence(tmp_path, content):
    for name, read in (("config.json", Run(tmp_path).config), ("result.json", Run(tmp_path).result)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=rf"{name}: .*; choose another run"):
            read()


def test_what_is_missing_in_a_file_gets_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text('{"kind": "gan", "settings": {"width": 3}}')
    assert Run(tmp_path).settings["width"] == 3 and Run(tmp_path).settings.get("epochs") is None
    with pytest.raises(InputError, match=r"config.json: says nothing of epochs"):
        _ = Run(tmp_path).settings["epochs"]
    (tmp_path / "config.json").write_text('{"kind": "gan", "settings": {}, "parts": []}')
    with pytest.raises(InputError, match=r"config.json: parts must be of type dict"):
        Run(tmp_path).config()


def test_a_finished_run_keeps_the_commit_it_was_trained_by(tmp_path, monkeypatch):
    run = Run(tmp_path)
    run.start("gan", GANSettings())
    before = (tmp_path / "config.json").read_bytes()
    monkeypatch.setattr("keras3dgan.runs.environment", lambda: {"commit": "another", "versions": {}})
    run.start("gan", GANSettings())
    assert (tmp_path / "config.json").read_bytes() == before
    run.reopen(GANSettings(epochs=900))
    assert run.config()["commit"] == json.loads(before)["commit"]


def test_one_process_trains_a_run(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / ".a.1.tmp.keras").write_bytes(b"half")
    with Run(tmp_path).locked():
        assert not [*tmp_path.glob("models/*")]
        with pytest.raises(InputError, match="another process trains this run"), Run(tmp_path).locked():
            pass
        with Run(tmp_path, writes=False).locked():
            pass


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
    for name, value in (
        ("epochs", [1]),
        ("seed", None),
        ("classes", 7),
        ("seed", "0"),
        ("width", 0.5),
        ("beta_1", 10**400),
    ):
        settings = {**dataclasses.asdict(GANSettings()), name: value}
        (tmp_path / "config.json").write_text(json.dumps({"kind": "gan", "settings": settings}))
        with pytest.raises(InputError, match=f"{name}: must be of the kind of .*; choose another run"):
            recipe_of(run).read_settings(run)
    with pytest.raises(InputError, match=r"precision: must be one of .*, got '\[{40}'\.$"):
        GANSettings(precision="[" * 100_000)
    lines = [
        '{"epoch": 1, "step": "9", "seconds": 1}',
        '{"epoch": 1, "step": 2, "seconds": 1}',
        "[" * 100_000,
        '{"epoch": [], "step": 3}',
        "null",
    ]
    run.metrics_file.write_text("\n".join(lines))
    run.drop_metrics_after(5)
    assert run.metrics() == [{"epoch": 1, "step": 2, "seconds": 1}]


def test_an_array_that_takes_long_is_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return np.arange(3)

    other = Run(tmp_path / "run", writes=False).kept("a", make)  # a host that writes nothing
    assert not list(tmp_path.iterdir())
    for _ in range(2):
        np.testing.assert_array_equal(Run(tmp_path / "run").kept("a", make), other)
    assert len(made) == 2
