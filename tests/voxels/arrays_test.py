import numpy as np
import pytest
import scipy.io

from keras3dgan.errors import InputError
from keras3dgan.voxels import arrays
from tests.conftest import corner_shape


def test_mat_round_trip(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"instance": corner_shape()})
    np.testing.assert_array_equal(arrays.read_mat(tmp_path / "a.mat"), corner_shape())


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "A.NPY", "A.NPZ"])
def test_npy_round_trip(tmp_path, name):
    arrays.write_npy(tmp_path / name, corner_shape())
    np.testing.assert_array_equal(arrays.read_npy(tmp_path / name), corner_shape())


def test_bad_files_get_a_sentence(tmp_path):
    scipy.io.savemat(tmp_path / "other.mat", {"volume": corner_shape()})
    np.savez(tmp_path / "two.npz", a=corner_shape(), b=corner_shape())
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "flat.npy", np.zeros((3, 4, 5)))
    content = (tmp_path / "two.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    np.savez(tmp_path / "one.npz", corner_shape())
    locked = bytearray((tmp_path / "one.npz").read_bytes())
    locked[locked.index(b"PK\1\2") + 8] |= 1  # the flag of an entry with a password
    (tmp_path / "locked.npz").write_bytes(locked)
    (tmp_path / "junk.mat").write_bytes(b"junk" * 100)
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    np.save(tmp_path / "whole.npy", corner_shape(16))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:500])
    cases = {
        "other.mat": "no variable 'instance'",
        "junk.mat": "not a readable .mat",
        "new.mat": "MATLAB 7.3",
        "two.npz": "holds 2 arrays",
        "pickled.npy": "plain numbers",
        "flat.npy": "three equal axes",
        "cut.npz": "not a readable NumPy file",
        "locked.npz": "is encrypted; save it without a password",
        "cut.npy": "not a readable NumPy file",
        "none.npy": "no such file",
    }
    for name, words in cases.items():
        reader = arrays.read_mat if name.endswith(".mat") else arrays.read_npy
        with pytest.raises(InputError, match=words) as error:
            reader(tmp_path / name)
        assert name in str(error.value)


def test_a_header_that_announces_a_huge_array_is_refused(tmp_path):
    path = tmp_path / "huge.npy"
    np.save(path, np.zeros((4, 4, 4), np.uint8))
    path.write_bytes(
        path.read_bytes().replace(b"(4, 4, 4)", b"(9999, 9999, 9999)"[:9]).replace(b"(9999, 99", b"(999,999)")
    )
    with pytest.raises(InputError):
        arrays.read_npy(path)
