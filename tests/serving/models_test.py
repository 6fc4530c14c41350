"""What is served when: versions that come and go, half copies, configurations."""

import pathlib
import shutil

import pytest
from google.protobuf import text_format
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from keras3dgan.errors import InputError
from keras3dgan.serving import ServingError
from keras3dgan.serving.models import ModelConfig, Registry, read_config
from keras3dgan.serving.transport import Model

AVAILABLE = ModelVersionStatus.State.AVAILABLE


def _registry(folder: pathlib.Path, text: str = "") -> Registry:
    return Registry([text_format.Parse(text, ModelConfig(name="voxnet", base_path=str(folder)))])


def _states(registry: Registry) -> dict[int, str]:
    found = registry.status(Model("voxnet")).model_version_status
    return {one.version: "here" if one.state == AVAILABLE else one.status.error_message for one in found}


def test_versions_come_and_go(exported, tmp_path):
    shutil.copytree(exported / "voxnet" / "1", tmp_path / "1")
    (tmp_path / ".2.77.tmp").mkdir()  # as an export leaves it that is under way
    latest = _registry(tmp_path)
    labels = "version_labels { key: 'stable' value: 1 } version_labels { key: 'canary' value: 2 }"
    every = _registry(tmp_path, f"model_version_policy {{ all {{}} }} {labels}")
    first = _registry(tmp_path, "model_version_policy { specific { versions: 1 } }")
    for registry in (latest, every, first):
        assert registry.update() == [] and _states(registry) == {1: "here"}
    with pytest.raises(ServingError, match="NOT_FOUND|not found"):
        every.find(Model("voxnet", label="canary"))
    shutil.copytree(exported / "voxnet" / "1", tmp_path / "2")
    for registry in (latest, every, first):
        assert registry.update() == []
    assert _states(latest) == {1: "", 2: "here"} and _states(every) == {1: "here", 2: "here"}
    assert latest.find(Model("voxnet")).version == every.find(Model("voxnet", label="canary")).version == 2
    assert first.find(Model("voxnet")).version == every.find(Model("voxnet", label="stable")).version == 1
    shutil.rmtree(tmp_path / "2")  # rolled back
    latest.update()
    assert latest.find(Model("voxnet")).version == 1 and _states(latest) == {1: "here", 2: ""}
    shutil.rmtree(tmp_path / "1")
    latest.update()
    with pytest.raises(ServingError, match="not found"):
        latest.find(Model("voxnet"))


def test_half_a_copy_is_told_once_and_tried_again_while_the_old_version_stays(exported, tmp_path):
    source = exported / "voxnet" / "1"
    shutil.copytree(source, tmp_path / "1")
    registry = _registry(tmp_path)
    registry.update()
    old = registry.find(Model("voxnet"))
    copy = tmp_path / "2"
    copy.mkdir()
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        [told] = registry.update()
        assert told.startswith(f"{copy}: cannot be loaded") and "\n" not in told and registry.update() == []
        assert registry.find(Model("voxnet")) is old and _states(registry) == {2: told, 1: "here"}
        content = (source / name).read_bytes()
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes(content[: len(content) // 2])
        registry.update()
        assert registry.find(Model("voxnet")) is old
        (copy / name).write_bytes(content)
    assert registry.update() == [] and registry.find(Model("voxnet")).version == 2


def test_a_folder_that_cannot_be_read_keeps_what_is_loaded(exported, tmp_path):
    folder = tmp_path / "voxnet"
    shutil.copytree(exported / "voxnet", folder)
    registry = _registry(folder)
    registry.update()
    folder.rename(tmp_path / "away")
    [told] = registry.update()
    assert str(folder) in told and registry.find(Model("voxnet")).version == 1
    (tmp_path / "away").rename(folder)
    assert registry.update() == [] and registry.find(Model("voxnet")).version == 1


def test_a_path_that_tensorflow_takes_for_a_pattern_gets_a_sentence(exported, tmp_path):
    shutil.copytree(exported / "voxnet", tmp_path / "a[1]")
    registry = _registry(tmp_path / "a[1]")
    [told] = registry.update()
    assert str(tmp_path / "a[1]") in told and "without * ? [" in told


def test_the_configuration_that_ships_is_read():
    folder = pathlib.Path(__file__).parents[2] / "export" / "serving"
    configs = {config.name: config for config in read_config(folder / "models.config")}
    assert configs.keys() == {"encoder", "decoder", "generator", "voxnet"}
    encoder = configs["encoder"]
    assert encoder.version_labels.keys() == {"stable"} and encoder.model_version_policy.latest.num_versions == 2


def test_a_configuration_that_cannot_be_read_gets_a_sentence(tmp_path):
    path = tmp_path / "models.config"
    for content in (None, b"model_config_list { config { nom: 'x' } }", b"\xff"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=rf"{path}: is no model configuration"):
            read_config(path)
    path.write_text("model_config_list { config { name: 'x' base_path: 'below' } }")
    assert read_config(path)[0].base_path == str(tmp_path / "below")
