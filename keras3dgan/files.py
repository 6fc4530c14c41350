"""Writing files so that nobody ever finds half of one, and folders that one process at a time writes to."""

import contextlib
import fcntl
import os
import pathlib
import secrets
from collections.abc import Iterator

from keras3dgan.errors import InputError

_TEMPORARY = ".*.tmp*"
# Characters of a file's stem and suffix that its temporary keeps: with the rest at most 255 bytes, whatever the characters.
_STEM, _SUFFIX = 32, 16


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives a temporary path beside `path`, moved onto it when the block ends without an error.

    The temporary file is flushed to disk before the move, so that after a power cut or `kill -9` either the old file or the
    whole new one is there. It keeps the suffix of `path`, because many writers choose their format by it.

    Args:
        path: the file to write; its parent folders are made.

    Yields:
        The path to write to.

    Raises:
        OSError: it cannot be written, as on a full disk; names `path`.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Drawn, not the process's number: workers on several machines may write one file, on storage that they share.
    temporary = path.with_name(f".{path.stem[:_STEM]}.{secrets.token_hex(4)}.tmp{path.suffix[:_SUFFIX]}")
    try:
        with naming(path, temporary):
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: pathlib.Path, temporary: pathlib.Path | None = None) -> Iterator[None]:
    """Lets errors of the operating system inside name `path` where they name no file, or its temporary."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename in (None, temporary, str(temporary)):
            raise OSError(
                error.errno, error.strerror, str(path)
            ) from error  # of the same class, which its number tells
        raise


@contextlib.contextmanager
def locked(folder: pathlib.Path, taken: str) -> Iterator[None]:
    """Inside, no other process has the lock of a folder, which goes with its process. Removes the temporaries of killed ones.

    Args:
        folder: made if it is not there.
        taken: what is wrong where another process has it, and what to do.

    Raises:
        InputError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Kept open, and the file left there: removing it would let two processes lock two files of one name.
    with open(folder / ".lock", "w") as file:
        try:
            with naming(folder / ".lock"):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder}: {taken}") from error
        for left in folder.rglob(_TEMPORARY):
            if left.is_file():
                left.unlink(missing_ok=True)
        yield
