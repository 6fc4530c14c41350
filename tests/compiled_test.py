"""Compiled functions are kept where that can be, and work all the same where it cannot, as with a full or read-only disk."""

import errno
import importlib.util
import pathlib

import numba
import pytest
from numba.core.caching import CacheImpl, IndexDataCacheFile

from keras3dgan import compiled


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Imports a new module with a function `double`; its cache lies in `__pycache__` beside it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")  # whatever NUMBA_CACHE_DIR says
    compiled._say_so.cache_clear()
    path = tmp_path / "module.py"
    path.write_text("from keras3dgan.compiled import compiled\n\n\n@compiled\ndef double(x):\n    return 2 * x\n")

    def load():
        spec = importlib.util.spec_from_file_location("module_of_test", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.double

    return load


def test_kept_for_the_next_process(load, tmp_path):
    assert load()(3) == 6
    assert len([*tmp_path.glob("__pycache__/*.nbc")]) == 1
    again = load()
    assert again(4) == 8 and sum(again.stats.cache_hits.values()) == 1


def test_nowhere_to_keep_them(load, monkeypatch):
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    with pytest.warns(RuntimeWarning) as told:
        assert [load()(3), load()(4)] == [6, 8]
    assert ["set NUMBA_CACHE_DIR" in str(one.message) for one in told] == [
        True
    ]  # once, however many functions there are


def test_a_disk_that_fills(load, monkeypatch):
    def fail(*words):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "_save_data", fail)
    with pytest.warns(RuntimeWarning, match="cannot be kept"):
        assert load()(3) == 6


def test_damaged_files_are_made_anew(load, tmp_path):
    load()(3)
    [data] = tmp_path.glob("__pycache__/*.nbc")
    data.write_bytes(data.read_bytes()[:100])
    assert load()(3) == 6
    again = load()
    assert again(4) == 8 and sum(again.stats.cache_hits.values()) == 1
    [index] = tmp_path.glob("__pycache__/*.nbi")
    index.write_bytes(b"")
    with pytest.warns(RuntimeWarning, match="cannot be kept"):
        assert load()(3) == 6


def test_all_compiled_functions_are_of_this_kind():
    package = pathlib.Path(compiled.__file__).parent
    others = [path for path in package.rglob("*.py") if "njit" in path.read_text() and path.name != "compiled.py"]
    assert others == []
