"""What the text formats share: encodings, line ends, numbers."""

import codecs
from collections.abc import Sequence

import numpy as np

from keras3dgan.errors import InputError

_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
# A number never reaches into a name, so what is written in another code page than ASCII is only in comments and names.
_PADDING = b"\0\x1a \t\r\n"


def normalised(content: bytes) -> bytes:
    """The text in an encoding that contains ASCII, with `\\n` as line end, without byte-order mark and padding."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            content = content[len(mark) :]
            if encoding != "utf-8":
                content = content.decode(encoding, "replace").encode()
            break
    else:
        start = content[:64]
        for encoding, odd in (("utf-16-le", 1), ("utf-16-be", 0)):  # UTF-16 without a mark: every other byte is zero
            if len(start) >= 8 and not any(start[odd::2]) and all(start[1 - odd :: 2]):
                content = content.decode(encoding, "replace").encode()
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(_PADDING)


def numbers(tokens: Sequence[bytes], name: str) -> np.ndarray:
    """The numbers that the tokens write, float64 (count,); `1.5D+00` as Fortran writes it included.

    Raises:
        InputError: a token is no number; the sentence quotes it.
    """
    try:
        return np.array(list(map(float, tokens)), dtype=np.float64)
    except ValueError:
        return np.array([_number(token, name) for token in tokens], dtype=np.float64)


def _number(token: bytes, name: str) -> float:
    try:
        return float(token)
    except ValueError:
        pass
    try:
        return float(token.replace(b"D", b"E").replace(b"d", b"e"))
    except ValueError as error:
        shown = token[:20].decode("ascii", "replace")
        if b"," in token:
            raise InputError(f"{name}: '{shown}' has a decimal comma; export it with decimal points.") from error
        raise InputError(f"{name}: '{shown}' stands where a number should; export it again.") from error


def integers(tokens: Sequence[bytes], name: str) -> np.ndarray:
    """The whole numbers that the tokens write, int64 (count,).

    Raises:
        InputError: a token is no whole number; the sentence quotes it.
    """
    try:
        return np.array(list(map(int, tokens)), dtype=np.int64)
    except (ValueError, OverflowError):
        values = numbers(tokens, name)
    return whole(values, name)


def whole(values: np.ndarray, name: str) -> np.ndarray:
    """`values` as int64.

    Raises:
        InputError: one has a fraction, or is too large to be an index.
    """
    values = np.asarray(values)
    if values.dtype.kind == "f" and not (np.isfinite(values) & (np.abs(values) < 2**53) & (values % 1 == 0)).all():
        raise InputError(f"{name}: a count or an index is no whole number; export it again.")
    return values.astype(np.int64)
