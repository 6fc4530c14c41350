"""Latent vectors to a few bytes and back: quantisation, and entropy coding of the symbols with integer tables."""

from __future__ import annotations

import bisect
import hashlib
import io
import zipfile

import numpy as np

from keras3dgan.errors import InputError

# The frequencies of a latent's symbols add up to 2**PRECISION.
PRECISION = 16
_TOTAL = 1 << PRECISION
_MAX_LEVELS = 4096
# All tables together, unpacked: 4096 latents of as many symbols. They may come from a server, or from somebody's preset.
_MOST_BYTES = 1 << 26
# How many observations the normal distribution counts for beside the histogram, when tables are fitted.
_PRIOR = 32.0


class EntropyCoder:
    """Turns latents into symbols, `round(latent / step)` clipped to a table's range, and symbols into payloads.

    Arithmetic coding on integers of any length: everything after quantisation is exact, on stored tables, so a stream decodes to
    the same symbols on every machine. Libraries' coders end on whole 32-bit words, which is a tenth of a short stream; this one
    takes the entropy, rounded up to bytes.

    Args:
        resolution: n of the n^3 grids that the latents stand for.
        step: quantisation step, above 0.
        low: int32 (k,), the least symbol of each latent.
        frequencies: uint32 (k, levels); a row adds up to 65536, holds no 0 within a latent's range and only 0 behind it.
        fingerprint: of the decoder and its tables; every stream holds its first three bytes.

    Raises:
        ValueError: tables that are none.

    Example:
        >>> latents = np.random.default_rng(0).normal(size=(100, 4))
        >>> coder = EntropyCoder.fit(latents, step=0.5, resolution=16, decoder=b"of these weights")
        >>> payload = coder.encode(coder.quantize(latents))[0]
        >>> np.abs(coder.dequantize(coder.decode(payload)) - latents[0]).max() <= 0.25
        np.True_
    """

    def __init__(self, resolution: int, step: float, low: np.ndarray, frequencies: np.ndarray, fingerprint: bytes):
        if not step > 0 or low.ndim != 1 or frequencies.ndim != 2 or len(low) != len(frequencies) or not len(low):
            raise ValueError("step must be positive, low (k,) and frequencies (k, levels)")
        self.levels = (frequencies > 0).sum(axis=1)
        inside = np.arange(frequencies.shape[1]) < self.levels[:, None]
        if ((frequencies > 0) != inside).any() or (frequencies.sum(axis=1, dtype=np.int64) != _TOTAL).any():
            raise ValueError(f"each row of frequencies must be positive up to its end and add up to {_TOTAL}")
        self.resolution = resolution
        self.step = step
        self.low = low.astype(np.int32)
        self.high = (low + self.levels - 1).astype(np.int32)
        self.frequencies = frequencies.astype(np.uint32)
        self.fingerprint = fingerprint
        self._starts = [
            [0, *np.cumsum(row[:count]).tolist()] for row, count in zip(frequencies, self.levels, strict=True)
        ]

    @classmethod
    def fit(cls, latents: np.ndarray, step: float, resolution: int, decoder: bytes) -> EntropyCoder:
        """Tables from examples: for each latent their histogram, smoothed by a normal distribution of the same moments.

        Args:
            latents: (count, k).
            step: quantisation step.
            resolution: n of the grids.
            decoder: what names the decoder, of any length.

        Raises:
            ValueError: the step is so fine that a latent takes more than 4096 symbols.
        """
        symbols = np.rint(np.asarray(latents, np.float64) / step)
        mean, deviation = symbols.mean(axis=0), np.maximum(symbols.std(axis=0), 0.3)
        low = np.minimum(symbols.min(axis=0), np.floor(mean - 4.5 * deviation)).astype(np.int64)
        high = np.maximum(symbols.max(axis=0), np.ceil(mean + 4.5 * deviation)).astype(np.int64)
        levels = high - low + 1
        if levels.max() > _MAX_LEVELS:
            raise ValueError(f"a step of {step} makes {levels.max()} symbols of one latent; at most {_MAX_LEVELS}")
        frequencies = np.zeros((len(low), levels.max()), np.uint32)
        for i, count in enumerate(levels):
            histogram = np.bincount((symbols[:, i] - low[i]).astype(np.int64), minlength=count)
            normal = np.exp(-0.5 * ((np.arange(count) + low[i] - mean[i]) / deviation[i]) ** 2)
            frequencies[i, :count] = _integers(histogram + _PRIOR * normal / normal.sum())
        return cls(resolution, step, low, frequencies, _digest(decoder, resolution, step, low, frequencies))

    def of_decoder(self, decoder: bytes) -> EntropyCoder:
        """The same tables for another decoder, which `decoder` names; fingerprints tell streams apart."""
        digest = _digest(decoder, self.resolution, self.step, self.low, self.frequencies)
        return EntropyCoder(self.resolution, self.step, self.low, self.frequencies, digest)

    @property
    def size(self) -> int:
        """How many latents, k."""
        return len(self.low)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each latent by the tables, float32 (k,) each."""
        values = (self.low[:, None] + np.arange(self.frequencies.shape[1])) * self.step
        shares = self.frequencies / _TOTAL
        mean = (shares * values).sum(axis=1)
        variance = (shares * (values - mean[:, None]) ** 2).sum(axis=1)
        return mean.astype(np.float32), np.maximum(np.sqrt(variance), self.step / 4).astype(np.float32)

    def quantize(self, latents: np.ndarray) -> np.ndarray:
        """Symbols int32 (count, k) of latents (count, k)."""
        return np.clip(np.rint(np.asarray(latents, np.float32) / np.float32(self.step)), self.low, self.high).astype(
            np.int32
        )

    def dequantize(self, symbols: np.ndarray) -> np.ndarray:
        """Latents float32 (count, k) of symbols (count, k)."""
        return symbols.astype(np.float32) * np.float32(self.step)

    def encode(self, symbols: np.ndarray) -> list[bytes]:
        """One payload for each row of symbols (count, k).

        Raises:
            ValueError: another number of symbols, or one outside its table.
        """
        if symbols.ndim != 2 or symbols.shape[1] != self.size:
            raise ValueError(f"expected symbols (count, {self.size}), got shape {symbols.shape}")
        if ((symbols < self.low) | (symbols > self.high)).any():
            raise ValueError("a symbol lies outside its table")
        return [self._code(row) for row in (symbols - self.low).tolist()]

    def decode(self, payload: bytes, name: str = "stream") -> np.ndarray:
        """Symbols int32 (k,) of a payload.

        Args:
            payload: what `encode` gave.
            name: what to call it in error messages.

        Raises:
            InputError: no encoder writes such a payload.
        """
        return np.array(self._symbols(payload, name), np.int32) + self.low

    def to_bytes(self) -> bytes:
        """Everything that a reader needs, as the bytes of an `.npz` file; undone by `from_bytes`."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            resolution=self.resolution,
            step=self.step,
            low=self.low,
            frequencies=self.frequencies,
            model=np.frombuffer(self.fingerprint, np.uint8),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "coder") -> EntropyCoder:
        """Undoes `to_bytes`.

        Raises:
            InputError: not what `to_bytes` wrote; the message calls it `name`.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                if sum(member.file_size for member in packed.infolist()) > _MOST_BYTES:
                    raise ValueError("no tables are so large")
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                resolution, step = int(file["resolution"]), float(file["step"])
                return cls(resolution, step, file["low"], file["frequencies"], file["model"].tobytes())
        except Exception as error:  # numpy, zipfile and zlib each raise their own
            raise InputError(f"{name}: not the entropy tables of a codec; train or export the model again.") from error

    def _code(self, indices: list[int]) -> bytes:
        """The shortest bytes, read as a binary fraction, inside the interval that the symbols leave of [0, 1)."""
        low, width = 0, 1
        for starts, index in zip(self._starts, indices, strict=True):
            low = (low << PRECISION) + starts[index] * width
            width *= starts[index + 1] - starts[index]
        length = 0
        while True:
            spare = PRECISION * self.size - 8 * length
            point = -(-low >> spare)
            if point << spare < low + width:
                return point.to_bytes(length, "big")
            length += 1

    def _symbols(self, payload: bytes, name: str) -> list[int]:
        left = PRECISION * self.size
        if 8 * len(payload) > left:
            raise InputError(f"{name}: damaged, it is longer than any stream of its model; get the file again.")
        value, width = int.from_bytes(payload, "big") << (left - 8 * len(payload)), 1
        indices = []
        for starts in self._starts:
            left -= PRECISION
            index = bisect.bisect_right(starts, (value >> left) // width) - 1
            value -= starts[index] * width << left
            width *= starts[index + 1] - starts[index]
            indices.append(index)
        if self._code(indices) != payload:
            raise InputError(f"{name}: damaged, no encoder writes its symbols so; get the file again.")
        return indices


def _digest(decoder: bytes, resolution: int, step: float, low: np.ndarray, frequencies: np.ndarray) -> bytes:
    tables = low.astype(np.int64).tobytes() + frequencies.astype(np.uint32).tobytes()
    return hashlib.sha256(decoder + repr((resolution, step)).encode() + tables).digest()


def _integers(weights: np.ndarray) -> np.ndarray:
    """Positive integers, in about these proportions, that add up to 65536."""
    spare = _TOTAL - len(weights)
    result = 1 + np.floor(weights / weights.sum() * spare).astype(np.int64)
    result[weights.argmax()] += _TOTAL - result.sum()
    return result
