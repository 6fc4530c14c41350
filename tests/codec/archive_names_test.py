"""Names in archives: what anybody may have written becomes files that are all different, and all below the folder."""

import os
import pathlib

import pytest

from keras3dgan.codec import archive_names
from keras3dgan.errors import InputError, moves_the_terminal

_BAD = [
    ".",
    "..",
    "/",
    "//",
    "/etc/passwd",
    "../../x",
    "a/../../x",
    "a//b",
    "a/",
    "\0",
    "a\0b",
    "line\nbreak",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "gnp.\u202etxt",
    "\udcff",
    "x" * 300,
    "ü" * 150,
    "d/" * 900 + "x",
    "\r",
]
_GOOD = ["a", "chairs/1.obj", "c h a i r", "стул", "v1.5", ".hidden", "...", "名前/椅子", "x" * 255, "👨‍👩‍👧"]


def test_names_that_no_file_system_or_terminal_takes_are_refused():
    for name in _GOOD:
        archive_names.check(name)
    for name in [*_BAD, ""]:
        with pytest.raises(InputError, match="an archive takes no name that .*; rename the file") as error:
            archive_names.check(name)
        assert str(error.value).isprintable() and len(str(error.value)) < 300


def test_every_name_becomes_a_file_of_its_own_below_the_folder(tmp_path):
    names = [*_BAD, *_GOOD, "", "", "a", "a", "A", "./a", "a.npy/b", "a.npy", "a-2", *_BAD]
    found = archive_names.files(names, ".npy")
    assert len(found) == len(names) == len(set(found))
    for path in found:
        assert not path.is_absolute() and ".." not in path.parts and path.suffix == ".npy"
        assert not any(map(moves_the_terminal, str(path)))
        assert max(len(part.encode()) for part in path.parts) < 220
        target = tmp_path / path
        archive_names.check_inside(target, tmp_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "x") as file:  # no name is a folder of another, and the file system takes them all
            file.write("")
    assert sum(len(files) for _, _, files in os.walk(tmp_path)) == len(names)


def test_names_in_order_stay_what_they_are():
    """Where each comes from is told by its suffix alone where two would meet, as when files are compressed."""
    names = ["chairs/1.obj", "chairs/2.obj", "chairs/2.stl", "3", "\x1b", "./3"]
    words = [str(path) for path in archive_names.files(names, ".glb")]
    assert words == ["chairs/1.glb", "chairs/2.obj.glb", "chairs/2.stl.glb", "3.glb", "_.glb", "3-2.glb"]
    words = [str(path) for path in archive_names.files(["./3", "3", "", "/"], ".glb")]
    assert words == ["3-2.glb", "3.glb", "000002.glb", "000003.glb"]
    # Cut names stay different.
    long = [str(path) for path in archive_names.files(["x" * 300 + "a", "x" * 300 + "b"], ".npy")]
    assert long[0] != long[1] and all(len(name) == 204 for name in long)


def test_many_equal_names_take_no_time():
    found = archive_names.files(["a"] * 20_000, ".npy")
    assert len(set(found)) == 20_000 and str(found[-1]) == "a-20000.npy"


def test_messages_hold_no_control_characters():
    assert archive_names.shown("\x1b[31mred\n") == "\\x1b[31mred\\n"
    assert archive_names.shown("стул/椅子") == "стул/椅子"
    assert archive_names.shown("x" * 1000) == "x" * 80 + "..."


def test_links_are_not_followed(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "real").mkdir()
    archive_names.check_inside(folder / "real" / "new" / "x.npy", folder)
    for path in (folder / "link" / "x.npy", folder / "link" / "deep" / "x.npy"):
        with pytest.raises(InputError, match="is a link, which leads out of"):
            archive_names.check_inside(path, folder)
    for path in (folder / ".." / "x.npy", pathlib.Path("/etc/x"), folder):
        with pytest.raises(InputError, match="does not lie below"):
            archive_names.check_inside(path, folder)
    # The folder itself may be one: it was chosen.
    (tmp_path / "chosen").symlink_to(folder)
    archive_names.check_inside(tmp_path / "chosen" / "real" / "x.npy", tmp_path / "chosen")
