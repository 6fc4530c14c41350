"""The `.g3c` format: pinned bytes, exact round trips, and a sentence for every bad file."""

import subprocess
import sys

import pytest

from keras3dgan.codec import container
from keras3dgan.errors import InputError
from tests.conftest import command_environment

_MODEL = b"\x01\x02\x03\x04\x05\x06"
_CONTENT = container.wrap(b"symbols", _MODEL)
_CRC = b"\xce\xa6"


def test_golden_bytes_and_round_trip():
    assert _CONTENT == b"G\x03\x01\x02\x03symbols" + _CRC
    assert len(_CONTENT) == container.OVERHEAD + 7 == 14
    assert container.unwrap(_CONTENT, _MODEL) == b"symbols"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a .g3c file"),
        (b"PK\x03\x04" + bytes(500), "not a .g3c file"),
        (b"GIF89a" + bytes(500), "not a .g3c file"),
        (_CONTENT[:6], "cut off"),
        (_CONTENT[:-1], "checksum"),
        (_CONTENT + b"\0", "checksum"),
        (b"G\x04" + _CONTENT[2:], "version 4; this program reads version 3"),
        (b"G3C\x02" + bytes(400), "version 2; this program reads version 3"),
        (_CONTENT[:9] + b"\x7f" + _CONTENT[10:], "checksum"),
        (container.wrap(b"symbols", b"abcd"), "written by model 616263, this is 010203"),
    ],
)
def test_bad_content_gets_a_sentence(content, words):
    with pytest.raises(InputError, match=words) as error:
        container.unwrap(content, _MODEL, "chair.g3c")
    assert str(error.value).startswith("chair.g3c: ") and str(error.value).count("\n") == 0


def test_files_are_bounded_and_written_whole(tmp_path):
    container.write(tmp_path / "deep" / "a.g3c", _CONTENT)
    assert container.read(tmp_path / "deep" / "a.g3c") == _CONTENT
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.g3c"]
    (tmp_path / "big.g3c").write_bytes(bytes(2_000_000))
    with pytest.raises(InputError, match="larger than any"):
        container.read(tmp_path / "big.g3c")
    with pytest.raises(InputError, match="cannot be read"):
        container.read(tmp_path / "none.g3c")


def test_packing_needs_no_tensorflow():
    """voxels/, the container, the coder of latents and the octree codec work where importing TensorFlow, Keras or JAX fails."""
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'jax', 'tensorflow_datasets', 'sklearn'): sys.modules[name] = None\n"
        "import keras3dgan.codec.latent.entropy_coder, keras3dgan.codec.octree.octree_codec\n"
        "import keras3dgan.voxels.io, keras3dgan.voxels.shape_set\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=command_environment())
