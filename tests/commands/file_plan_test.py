import pathlib

import pytest

from keras3dgan.commands import file_plan
from keras3dgan.errors import InputError

_READABLE = (".obj", ".stl")


def _tree(folder: pathlib.Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def _plan(folder, words, output=None):
    pairs = file_plan.plan([str(folder / word) for word in words], output and str(folder / output), _READABLE, ".g3c")
    return {str(a.relative_to(folder)): str(b.relative_to(folder)) for a, b in pairs}


def test_a_file_goes_beside_itself_or_where_it_is_told(tmp_path):
    _tree(tmp_path, "a.obj", "there/x")
    assert _plan(tmp_path, ["a.obj"]) == {"a.obj": "a.g3c"}
    assert _plan(tmp_path, ["a.obj"], "b.g3c") == {"a.obj": "b.g3c"}
    assert _plan(tmp_path, ["a.obj"], "there") == {"a.obj": "there/a.g3c"}
    assert _plan(tmp_path, ["a.obj"], "new") == {"a.obj": "new/a.g3c"}


def test_folders_keep_their_tree_and_equal_stems_keep_their_suffix(tmp_path):
    _tree(tmp_path, "in/a.obj", "in/a.stl", "in/deep/b.OBJ", "in/notes.txt")
    assert _plan(tmp_path, ["in"], "out") == {
        "in/a.obj": "out/a.obj.g3c",
        "in/a.stl": "out/a.stl.g3c",
        "in/deep/b.OBJ": "out/deep/b.g3c",
    }


def test_what_cannot_be_planned(tmp_path):
    _tree(tmp_path, "a.obj", "b.obj", "empty/notes.txt")
    for words, output, message in (
        ([], None, "at least one"),
        (["empty"], None, "holds no file"),
        (["a.obj"], "a.obj", "choose another --output"),
        (["a.obj", "b.obj"], "one.g3c", "choose another --output"),
    ):
        with pytest.raises(InputError, match=message):
            _plan(tmp_path, words, output)


def test_links_are_followed_and_what_macos_adds_is_left_out(tmp_path):
    _tree(tmp_path, "in/a.obj", "in/._a.obj", "in/__MACOSX/b.obj", "elsewhere/c.obj")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "in")  # a circle
    assert _plan(tmp_path, ["in"], "out") == {"in/a.obj": "out/a.g3c", "in/linked/c.obj": "out/linked/c.g3c"}


def test_names_that_mean_something_else(tmp_path, monkeypatch):
    _tree(tmp_path, "a.obj", "in/b.obj")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert file_plan.plan(["~/a.obj"], "~/out", (".obj",), ".g3c") == [(tmp_path / "a.obj", tmp_path / "out" / "a.g3c")]
    with pytest.raises(InputError, match="an empty name is no file"):
        file_plan.plan([""], None, (".obj",), ".g3c")
    with pytest.raises(InputError, match="output: .*one.g3c names a file, .* is a folder"):
        _plan(tmp_path, ["in"], "one.g3c")
