"""The `.g3c` format: pinned bytes, exact round trips, and a sentence for every bad file."""

import hashlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from keras3dgan.codec import container
from keras3dgan.codec.container import CompressedShape
from keras3dgan.errors import InputError
from tests.conftest import command_environment

_LATENTS = np.linspace(-2, 2, 200).astype(np.float16)
_CONTENT = CompressedShape(b"\x01\x02\x03\x04\x05\x06\x07\x08", 32, _LATENTS).to_bytes()


def _with_crc(content: bytes) -> bytes:
    return content[:-4] + struct.pack("<I", zlib.crc32(content[:-4]))


def test_golden_bytes():
    assert len(_CONTENT) == 16 + 400 + 4
    assert _CONTENT[:16] == b"G3C\x01\x01\x02\x03\x04\x05\x06\x07\x08\x20\x00\xc8\x00"
    assert hashlib.sha256(_CONTENT).hexdigest()[:16] == "cd380db6796b7d84"


def test_round_trip():
    shape = CompressedShape.from_bytes(_CONTENT)
    assert shape.resolution == 32 and shape.fingerprint == b"\x01\x02\x03\x04\x05\x06\x07\x08"
    np.testing.assert_array_equal(shape.latents, _LATENTS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a .g3c file"),
        (b"PK\x03\x04" + bytes(500), "not a .g3c file"),
        (_CONTENT[:10], "cut off"),
        (_CONTENT[:-1], "another size"),
        (_CONTENT + b"\0", "another size"),
        (_CONTENT[:3] + b"\x02" + _CONTENT[4:], "version 2"),
        (_CONTENT[:14] + b"\xff\xff" + _CONTENT[16:], "another size"),
        (_CONTENT[:100] + b"\x7f" + _CONTENT[101:], "checksum"),
        (_with_crc(_CONTENT[:12] + b"\xff\xff" + _CONTENT[14:]), "impossible"),
        (_with_crc(_CONTENT[:16] + b"\x00\x7c" + _CONTENT[18:]), "impossible"),
        (_with_crc(b"G3C\x01" + bytes(8) + b"\x20\x00\x00\x00" + bytes(4)), "impossible"),
    ],
)
def test_bad_content_gets_a_sentence(content, words):
    with pytest.raises(InputError, match=words) as error:
        CompressedShape.from_bytes(content, "chair.g3c")
    assert str(error.value).startswith("chair.g3c: ") and str(error.value).count("\n") == 0


def test_mutations_give_an_error_or_the_same_shape():
    rng = np.random.default_rng(0)
    for _ in range(20_000):
        mutated = bytearray(_CONTENT)
        for _ in range(rng.integers(1, 4)):
            mutated[rng.integers(len(mutated))] ^= 1 << rng.integers(8)
        cut = bytes(mutated[: rng.integers(len(mutated) + 1)]) if rng.random() < 0.3 else bytes(mutated)
        try:
            shape = CompressedShape.from_bytes(cut)
        except InputError:
            continue
        assert shape.to_bytes() == cut == _CONTENT


def test_latents_beyond_half_precision_are_refused():
    for latents in (np.array([1e6]), np.array([np.nan]), np.zeros(70_000), np.zeros((2, 2))):
        with pytest.raises(ValueError, match="half precision"):
            CompressedShape(bytes(8), 32, latents).to_bytes()


def test_files_are_bounded_and_written_whole(tmp_path):
    container.write(tmp_path / "deep" / "a.g3c", _CONTENT)
    assert container.read(tmp_path / "deep" / "a.g3c") == _CONTENT
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.g3c"]
    (tmp_path / "big.g3c").write_bytes(bytes(200_000))
    with pytest.raises(InputError, match="larger than any"):
        container.read(tmp_path / "big.g3c")
    with pytest.raises(InputError, match="cannot be read"):
        container.read(tmp_path / "none.g3c")


def test_packing_needs_no_tensorflow():
    """voxels/ and the container work where importing TensorFlow, Keras or JAX fails."""
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'jax', 'tensorflow_datasets', 'sklearn'): sys.modules[name] = None\n"
        "import keras3dgan.codec.container, keras3dgan.voxels.io, keras3dgan.voxels.shape_set\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=command_environment())
