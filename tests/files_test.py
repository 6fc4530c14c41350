"""Files come whole or not at all, whatever they are called; errors name them."""

import errno
import os

import pytest

from keras3dgan.errors import InputError
from keras3dgan.files import locked, naming, replacing


@pytest.mark.parametrize("name", ["a.obj", "é" * 122 + ".npy", "x" * 248, "a." + "y" * 240, "🪑" * 59 + "." + "🪑" * 3])
def test_any_name_that_the_file_system_takes(tmp_path, name):
    path = tmp_path / name
    for content in (b"old", b"new"):
        with replacing(path) as temporary:
            temporary.write_bytes(content)
            assert temporary.parent == tmp_path and temporary.suffix == (path.suffix[:16] or ".tmp")
        assert os.listdir(tmp_path) == [name] and path.read_bytes() == content


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_bytes(b"half")
        _ = 1 / 0
    assert os.listdir(tmp_path) == ["a.npz"] and path.read_bytes() == b"old"


def test_a_full_disk_names_the_file(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(OSError) as error, replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(path)
    with pytest.raises(OSError) as error, replacing(path) as temporary:
        (temporary.parent / "none" / "b").read_bytes()
    assert error.value.filename == str(tmp_path / "none" / "b")  # another file's error stays its own
    with pytest.raises(OSError) as error, replacing(path):
        pass  # nothing was written
    assert error.value.filename == str(path)
    with pytest.raises(BrokenPipeError), naming(path):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_locked_folder_is_cleared_of_what_killed_processes_left(tmp_path):
    folder = tmp_path / "new"
    with locked(folder, "is taken"):
        pass
    (folder / "deep").mkdir()
    for name in (".a.12.tmp.npz", "deep/.b.12.tmp", "deep/c.tmp.npz"):
        (folder / name).write_bytes(b"half")
    with locked(folder, "is taken"):
        assert sorted(p.name for p in folder.rglob("*")) == [".lock", "c.tmp.npz", "deep"]
        with pytest.raises(InputError, match="new: is taken"), locked(folder, "is taken"):
            pass
