"""The exceptions that carry a message for a person."""

from __future__ import annotations

import unicodedata

_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
# Turn the direction of writing, so that a text looks like another.
_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def moves_the_terminal(character: str) -> bool:
    """Whether a terminal would not just show a character."""
    return unicodedata.category(character) in _CONTROL or unicodedata.bidirectional(character) in _TURNS


def printable(text: str, kept: str = "") -> str:
    """A text whose control characters are escaped, but for those `kept`: names and contents of files are anybody's."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if c not in kept and moves_the_terminal(c) else c for c in text)


class InputError(ValueError):
    """Something that was given to the program cannot be used.

    The message is one sentence that names the setting or file and the remedy. Commands print it, a setting as its flag, and end
    with exit status 1; library callers catch it as a `ValueError`.

    Args:
        message: what is wrong, and what to do.
        setting: name of the setting or argument that is wrong; none where the message names a file.

    Example:
        >>> from keras3dgan.voxels.io import read_shape
        >>> try:
        ...     read_shape("missing.obj", 32)
        ... except InputError as error:
        ...     print(error)
        missing.obj: no such file.
    """

    def __init__(self, message: str, setting: str | None = None):
        super().__init__(printable(f"{setting}: {message}" if setting else message, "\n"))
        self.setting = setting


class LostHostError(InputError):
    """Another host of the same training has stopped."""


class UnavailableError(InputError):
    """Something outside, as a server, did not do its part. No input is at fault, so the next one would fail as well."""
