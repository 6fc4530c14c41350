"""Presets on the Hugging Face Hub: by a stand-in for its client, and by the client itself on a cache that is filled by hand."""

import pathlib
import shutil
import sys
import types

import pytest

from keras3dgan import models, presets
from keras3dgan.errors import InputError, UnavailableError
from tests.conftest import run_command


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "discriminator"
    models.Discriminator(8, 4).save_to_preset(folder)
    return folder


@pytest.fixture
def client(monkeypatch, saved):
    """A `huggingface_hub` that notes what it is asked for."""
    module = types.ModuleType("huggingface_hub")
    module.asked = []
    module.answer = str(saved)

    def snapshot_download(repository, **kwargs):
        module.asked.append((repository, kwargs))
        if isinstance(module.answer, Exception):
            raise module.answer
        return module.answer

    module.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return module


def test_an_address_is_fetched_and_loaded(client):
    assert models.Discriminator.from_preset("hf://somebody/discriminator").resolution == 8
    [(repository, asked)] = client.asked
    assert repository == "somebody/discriminator" and "model.weights.h5" in asked["allow_patterns"]
    assert presets.get("hf://somebody/discriminator").name == "hf://somebody/discriminator"


def test_what_cannot_be_fetched(client, tmp_path):
    client.answer = OSError("No route\nto the hub")
    with pytest.raises(UnavailableError, match="hf://a/b: cannot be fetched .No route.; check"):
        presets.get("hf://a/b")
    client.answer = str(tmp_path)
    with pytest.raises(InputError, match="hf://a/b: holds no preset, which has config.json"):
        presets.get("hf://a/b")
    for address in ("hf://a", "hf://a/b/c", "hf:///b"):
        with pytest.raises(InputError, match="a preset's address is hf://owner/name"):
            presets.get(address)


def test_nothing_is_fetched_without_the_prefix(client, saved):
    assert presets.find("somebody/discriminator") is None
    assert models.Discriminator.from_preset(saved).resolution == 8
    assert not client.asked


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    failed = run_command("generate", "--model=hf://a/b", "--output=x", check=False)
    assert failed.returncode == 1 and "hf://a/b: needs huggingface_hub; type pip install" in failed.stderr
    assert failed.stderr.count("\n") == 1 and not pathlib.Path("x").exists()


def test_the_client_itself(monkeypatch, saved, tmp_path):
    constants = pytest.importorskip("huggingface_hub.constants")
    repository = tmp_path / "models--somebody--discriminator"
    shutil.copytree(saved, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert models.Discriminator.from_preset("hf://somebody/discriminator").resolution == 8
    with pytest.raises(UnavailableError, match="hf://somebody/else: cannot be fetched"):
        presets.get("hf://somebody/else")
