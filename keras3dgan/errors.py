"""The exceptions that carry a message for a person."""


class InputError(ValueError):
    """Something that was given to the program cannot be used.

    The message is one sentence that names the file or flag and the remedy. Commands print it and end with exit
    status 1; library callers catch it as a `ValueError`.
    """


class LostHostError(InputError):
    """Another host of the same training has stopped."""


class UnavailableError(InputError):
    """Something outside, as a server, did not do its part. No input is at fault, so the next one would fail as well."""
