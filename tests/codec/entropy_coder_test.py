"""Coding of latents: exact and close to the entropy, pinned bytes, and an error or valid symbols whatever is read."""

import hashlib
import io
import tracemalloc

import numpy as np
import pytest

from keras3dgan.codec.latent.entropy_coder import PRECISION, EntropyCoder
from keras3dgan.errors import InputError


def _hand_made() -> EntropyCoder:
    """Tables that no floating point has touched."""
    frequencies = np.zeros((40, 9), np.int64)
    for i in range(40):
        levels = 1 + i % 9
        frequencies[i, :levels] = 1 + np.arange(levels) * (i + 3) * 60
        frequencies[i, i % levels] += (1 << PRECISION) - int(frequencies[i].sum())
    return EntropyCoder(32, 0.25, np.arange(40) - 20, frequencies, bytes(range(32)))


def _hash(i: int, j: int) -> int:
    """Of 16 bits."""
    return int.from_bytes(hashlib.sha256(f"{i},{j}".encode()).digest()[:2], "big")


def _symbols(coder: EntropyCoder, count: int) -> np.ndarray:
    """Drawn from the tables."""
    slots = np.array([[_hash(i, j) for j in range(coder.size)] for i in range(count)])
    cumulative = np.cumsum(coder.frequencies, axis=1)
    return (slots[..., None] >= cumulative[None]).sum(-1) + coder.low


def _decoded(coder: EntropyCoder, payloads: list[bytes]) -> np.ndarray:
    return np.stack([coder.decode(payload) for payload in payloads])


def test_golden_streams():
    """The same bytes on every machine: the hash was written down once."""
    coder = _hand_made()
    symbols = _symbols(coder, 50)
    payloads = coder.encode(symbols)
    assert hashlib.sha256(b"".join(payloads)).hexdigest()[:16] == "347550c448b2c0f6"
    np.testing.assert_array_equal(_decoded(coder, payloads), symbols)


def test_the_length_is_the_entropy_to_a_byte():
    coder = _hand_made()
    symbols = _symbols(coder, 200)
    frequencies = coder.frequencies[np.arange(coder.size), symbols - coder.low]
    ideal = (PRECISION - np.log2(frequencies)).sum(axis=1) / 8
    sizes = np.array([len(payload) for payload in coder.encode(symbols)])
    assert (sizes <= ideal + 1).all() and sizes.mean() > ideal.mean()


def test_fitted_tables_code_what_they_were_fitted_to():
    rng = np.random.default_rng(0)
    latents = rng.normal(3, (0.5, 5, 0.01), (500, 3))
    coder = EntropyCoder.fit(latents, 0.25, 32, b"decoder")
    symbols = coder.quantize(latents)
    assert np.abs(coder.dequantize(symbols) - latents).max() <= 0.1251
    np.testing.assert_array_equal(_decoded(coder, coder.encode(symbols)), symbols)
    # Beyond the tables latents are clipped, so that everything can be coded.
    far = coder.quantize(np.array([[1e9, -1e9, 0.0]]))
    assert far.tolist() == [[coder.high[0], coder.low[1], coder.low[2]]]
    assert len(coder.encode(far)) == 1


def test_tables_come_back_from_their_bytes():
    coder = _hand_made()
    again = EntropyCoder.from_bytes(coder.to_bytes())
    symbols = _symbols(coder, 3)
    assert again.encode(symbols) == coder.encode(symbols)
    assert (again.resolution, again.step, again.fingerprint) == (32, 0.25, bytes(range(32)))
    for content in (b"", b"PK\x03\x04", coder.to_bytes()[:-30]):
        with pytest.raises(InputError, match=r"coder\.npz: not the entropy tables"):
            EntropyCoder.from_bytes(content, "coder.npz")


def test_what_is_no_table_and_no_symbol_is_refused():
    coder = _hand_made()
    with pytest.raises(ValueError, match="outside its table"):
        coder.encode(coder.low[None] - 1)
    with pytest.raises(ValueError, match="expected symbols"):
        coder.encode(coder.low[None, :-1])
    holes = coder.frequencies.copy()
    holes[5, 0], holes[5, 1] = 0, holes[5, :2].sum()
    for frequencies in (holes, coder.frequencies * 2, coder.frequencies[:-1]):
        with pytest.raises(ValueError, match=r"frequencies|rows"):
            EntropyCoder(32, 0.25, coder.low, frequencies, b"")
    with pytest.raises(ValueError, match="at most 4096"):
        EntropyCoder.fit(np.random.default_rng(0).normal(size=(50, 2)), 1e-5, 32, b"")


def test_tables_that_unpack_to_more_than_any_take_no_memory():
    content = io.BytesIO()
    np.savez_compressed(content, frequencies=np.zeros((1 << 27), np.uint8))
    assert len(content.getvalue()) < 200_000
    tracemalloc.start()
    with pytest.raises(InputError, match="not the entropy tables"):
        EntropyCoder.from_bytes(content.getvalue(), "coder.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_mutated_payloads_give_an_error_or_what_was_written():
    coder = _hand_made()
    [payload] = coder.encode(_symbols(coder, 1))
    rng = np.random.default_rng(0)
    errors = 0
    for _ in range(5_000):
        mutated = bytearray(payload)
        for _ in range(rng.integers(1, 4)):
            mutated[rng.integers(len(mutated))] ^= 1 << rng.integers(8)
        kept = bytes(mutated[: rng.integers(1, len(mutated) + 1)]) if rng.random() < 0.3 else bytes(mutated)
        kept += bytes(rng.integers(0, 256, 300 * (rng.random() < 0.1), dtype=np.uint8))
        try:
            symbols = coder.decode(kept)
        except InputError:
            errors += 1
            continue
        assert coder.encode(symbols[None]) == [kept]
    assert errors > 3_000
