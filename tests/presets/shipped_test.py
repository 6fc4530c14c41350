"""What the presets of the package, and any that `save_preset` writes, must be like."""

import pathlib
import runpy
import unittest.mock

import pytest

from keras3dgan import presets
from keras3dgan.models import preset_files
from keras3dgan.presets import Preset
from tests.conftest import run_command

_MOST_BYTES, _MOST_BYTES_IN_ALL = 16_000_000, 25_000_000
_TOLD = ("kind", "settings", "commit", "hardware", "task", "data", "terms", "command", "result", "parameter_count")


def check(preset: Preset) -> None:
    """Holds a preset to what the README promises of each."""
    files = [path for path in preset.path.rglob("*") if path.is_file()]
    assert {"README.md", "config.json", "metadata.json", "model.weights.h5"} <= {path.name for path in files}
    assert all(path.stat().st_size <= _MOST_BYTES for path in files), preset.name
    metadata = preset.metadata()
    assert not [key for key in _TOLD if not metadata.get(key)]
    assert ("academic use" in metadata["terms"]) == ("ModelNet" in metadata["data"])
    assert "/" not in metadata["settings"]["dataset"] and "research" not in metadata["task"]
    card = (preset.path / "README.md").read_text()
    assert metadata["terms"] in card and metadata["command"] in card
    assert preset_files.load(preset).count_params() == metadata["parameter_count"]


def test_presets_of_the_package():
    for preset in presets.shipped().values():
        check(preset)
        assert preset.metadata()["quality"] and preset.metadata()["limitations"], preset.name
    files = [path for path in presets.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= _MOST_BYTES_IN_ALL


@pytest.mark.parametrize("kind", ["gan", "voxnet", "compressor"])
def test_presets_that_the_command_writes(kind, trained, tmp_path):
    out = run_command("save_preset", f"--run={trained}/{kind}", f"--output={tmp_path}/{kind}_32").stdout
    assert out.startswith(f"wrote {tmp_path}/{kind}_32, ")
    check(Preset(tmp_path / f"{kind}_32"))

    if kind == "compressor":
        assert len(list((tmp_path / "compressor_32" / "assets").iterdir())) == 4
        for path in tmp_path.rglob("*.*"):
            assert any(path.relative_to(tmp_path).match(pattern) for pattern in _packed()), path


def _packed() -> list[str]:
    """The files of presets that an installation has, by setup.py."""
    with unittest.mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(pathlib.Path(__file__).parents[2] / "setup.py"))
    return setup.call_args.kwargs["package_data"]["keras3dgan.presets"]
