"""Writing files so that nobody ever finds half of one."""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives a temporary path beside `path`, moved onto it when the block ends without an error.

    The temporary file is flushed to disk before the move, so that after a power cut or `kill -9` either the old file or the
    whole new one is there. It keeps the suffix of `path`, because many writers choose their format by it.

    Args:
        path: the file to write; its parent folders are made.

    Yields:
        The path to write to.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
