"""Codecs that know nothing of shapes, for `rate_distortion.py`: general compressors, Draco, and coarser grids."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import NamedTuple

import DracoPy
import numpy as np
import zstandard

from keras3dgan.voxels import grid as grids

_DICTIONARY_BYTES = 112_640  # zstd's own default
_LZMA = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 0}]


class Lossless(NamedTuple):
    """Both directions of a compressor, of one grid (n, n, n)."""

    encode: Callable[[np.ndarray], bytes]
    decode: Callable[[bytes], np.ndarray]


def lossless(train: np.ndarray) -> dict[str, Lossless]:
    """Compressors by name; raw streams, without the headers of their files.

    Args:
        train: packed training grids (count, bytes), of which zstd makes its dictionary.
    """
    resolution = round((8 * train.shape[1]) ** (1 / 3))
    dictionary = zstandard.train_dictionary(_DICTIONARY_BYTES, [row.tobytes() for row in train], level=19)
    squeeze = zstandard.ZstdCompressor(compression_params=_frameless(19), dict_data=dictionary)
    unsqueeze = zstandard.ZstdDecompressor(dict_data=dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS)

    def bits(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> Lossless:
        return Lossless(
            lambda grid: pack(grids.pack(grid[None])[0].tobytes()),
            lambda content: grids.unpack(np.frombuffer(unpack(content), np.uint8), resolution),
        )

    return {
        "zlib": bits(lambda raw: _deflate(raw), lambda content: zlib.decompress(content, -15)),
        "lzma": bits(
            lambda raw: lzma.compress(raw, lzma.FORMAT_RAW, filters=_LZMA),
            lambda content: lzma.decompress(content, lzma.FORMAT_RAW, filters=_LZMA),
        ),
        "zstd with a trained dictionary": bits(
            squeeze.compress, lambda content: unsqueeze.decompress(content, max_output_size=train.shape[1])
        ),
        "Draco": Lossless(_draco, lambda content: _undraco(content, resolution)),
    }


def _frameless(level: int) -> zstandard.ZstdCompressionParameters:
    left_out = {"write_content_size": 0, "write_dict_id": 0, "write_checksum": 0}
    return zstandard.ZstdCompressionParameters.from_level(level, format=zstandard.FORMAT_ZSTD1_MAGICLESS, **left_out)


def _deflate(raw: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(raw) + compressor.flush()


def _draco(grid: np.ndarray) -> bytes:
    """Occupied voxels as points, at just the bits that tell them apart."""
    n = len(grid)
    places = np.argwhere(grid).astype(np.float32)
    cube = {"quantization_range": n - 1, "quantization_origin": [0, 0, 0], "quantization_bits": (n - 1).bit_length()}
    return DracoPy.encode(places, compression_level=10, **cube)


def _undraco(content: bytes, resolution: int) -> np.ndarray:
    grid = np.zeros((resolution,) * 3, np.uint8)
    grid[tuple(np.rint(DracoPy.decode(content).points).astype(int).T)] = 1
    return grid


def coarser(grid: np.ndarray, size: int) -> np.ndarray:
    """The grid (n, n, n) as `size`^3 voxels would show it: those at least half full, each as large as it was."""
    factor = len(grid) // size
    share = grid.reshape(size, factor, size, factor, size, factor).mean(axis=(1, 3, 5))
    return np.kron((share >= 0.5).astype(np.uint8), np.ones((factor,) * 3, np.uint8))


def coarser_bytes(grid: np.ndarray, size: int) -> int:
    """What `coarser` takes: its bits, deflated."""
    factor = len(grid) // size
    return len(_deflate(grids.pack(coarser(grid, size)[None, ::factor, ::factor, ::factor])[0].tobytes()))
