"""The exceptions that carry a message for a person."""

from __future__ import annotations


class InputError(ValueError):
    """Something that was given to the program cannot be used.

    The message is one sentence that names the setting or file and the remedy. Commands print it, a setting as its flag, and end
    with exit status 1; library callers catch it as a `ValueError`.

    Args:
        message: what is wrong, and what to do.
        setting: name of the setting or argument that is wrong; none where the message names a file.
    """

    def __init__(self, message: str, setting: str | None = None):
        super().__init__(f"{setting}: {message}" if setting else message)
        self.setting = setting


class LostHostError(InputError):
    """Another host of the same training has stopped."""


class UnavailableError(InputError):
    """Something outside, as a server, did not do its part. No input is at fault, so the next one would fail as well."""
