"""How a client reaches a server: what gRPC and REST have in common."""

from __future__ import annotations

import abc
import dataclasses
import pathlib

import numpy as np

from keras3dgan.errors import InputError, UnavailableError

# Replies that carry float grids pass gRPC's own 4 MiB soon.
MAX_MESSAGE_BYTES = 256 << 20

# HTTP status -> gRPC's name. A server answers with the last that stands for a name.
HTTP_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    413: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ServingError(UnavailableError):
    """A request that failed. The message is made one line, short enough for a header.

    Attributes:
        code: gRPC's name of the reason, as `UNAVAILABLE`; REST's status codes are translated.
    """

    def __init__(self, code: str, message: str):
        super().__init__(" ".join(message.split())[:500])
        self.code = code


@dataclasses.dataclass(frozen=True)
class Model:
    """Which model a request is for.

    Attributes:
        name: as the server knows it.
        version: a number; default: the latest.
        label: a name for a version, as `stable`; not together with a version.
    """

    name: str
    version: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        which = f" version {self.version}" if self.version is not None else f" '{self.label}'" if self.label else ""
        return f"model '{self.name}'{which}"


class Transport(abc.ABC):
    """Sends requests to one server.

    Attributes:
        address: of the server, for messages.
    """

    address: str

    @abc.abstractmethod
    def predict(
        self, model: Model, signature: str, inputs: dict[str, np.ndarray], timeout: float
    ) -> dict[str, np.ndarray]:
        """Asks a signature of a model.

        Args:
            model: which.
            signature: its name.
            inputs: by name.
            timeout: seconds.

        Returns:
            The outputs by name; strings as bytes.

        Raises:
            ServingError: no answer in time, or an error as answer.
        """

    @abc.abstractmethod
    def versions(self, model: Model, timeout: float) -> dict[int, str]:
        """The versions that the server has or had of a model, and their states, as `AVAILABLE`.

        Raises:
            ServingError: no answer in time, or no such model.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends the connection."""


def read_token(path: str | None) -> str | None:
    """The bearer token in a file, without the spaces around it; None without a file.

    Raises:
        InputError: the file cannot be read, or holds none.
    """
    if path is None:
        return None
    try:
        token = pathlib.Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a token ({error}); write one line of ASCII.") from error
    if not token.isprintable() or not token:
        raise InputError(f"{path}: holds no token; write one line of ASCII.")
    return token
