"""The `.g3c` format: pinned bytes, exact round trips, and a sentence for every bad file."""

import binascii
import subprocess
import sys

import pytest

from keras3dgan.codec import container
from keras3dgan.codec.origin import Origin
from keras3dgan.errors import InputError
from keras3dgan.voxels.placement import Placement
from tests.conftest import command_environment

_MODEL = b"\x01\x02\x03\x04\x05\x06"
_CONTENT = container.wrap(b"symbols", _MODEL)
_CRC = b"\xce\xa6"


def test_golden_bytes_and_round_trip():
    assert _CONTENT == b"G\x03\x01\x02\x03symbols" + _CRC
    assert len(_CONTENT) == container.OVERHEAD + 7 == 14
    assert container.unwrap(_CONTENT, _MODEL) == b"symbols"


@pytest.mark.parametrize(
    ("origin", "head"),
    [
        (Origin(pose=1), b"G\x0c\x01\x02\x03"),
        (Origin(up="y"), b"G\x05\x01\x02\x03"),
        (Origin(pose=23, up="y", placement=Placement()), b"G\xbf\x01\x02\x03\x80\x00\x00"),
        (Origin(placement=Placement((-2 / 512, 0, 0), 2.0)), b"G\x06\x01\x02\x03\x81\x00\x01\x80"),
    ],
)
def test_golden_bytes_of_how_a_shape_lay(origin, head):
    stream = container.wrap(b"symbols", _MODEL, origin)
    assert stream[:-2] == head + b"symbols"
    assert container.unwrap(stream, _MODEL) == b"symbols" and container.origin(stream) == origin
    assert container.fingerprint(stream) == _MODEL[:3]


def test_a_placement_that_is_cut_off_is_damage_though_the_checksum_holds():
    stream = container.wrap(b"\x80\x00", _MODEL)
    content = b"G\x06" + stream[2:-2]
    bad = content + binascii.crc_hqx(content, 0).to_bytes(2, "little")
    with pytest.raises(InputError, match=r"chair\.g3c: damaged, its placement is cut off"):
        container.unwrap(bad, _MODEL, "chair.g3c")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a .g3c file"),
        (b"PK\x03\x04" + bytes(500), "not a .g3c file"),
        (b"GIF89a" + bytes(500), "not a .g3c file"),
        (_CONTENT[:6], "cut off"),
        (_CONTENT[:-1], "checksum"),
        (_CONTENT + b"\0", "checksum"),
        (b"G\x08" + _CONTENT[2:], "version 8; this program reads 3 and 4"),
        (b"G\xc4" + _CONTENT[2:], "not a .g3c file"),
        (container.wrap(b"", _MODEL, Origin(placement=Placement((1, 1, 1), 1.0)))[:-2], "checksum"),
        (b"G3C\x02" + bytes(400), "version 2; this program reads 3 and 4"),
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
