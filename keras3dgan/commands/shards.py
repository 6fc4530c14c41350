"""Which inputs of a collection go into which archive, and what of that has been done: a manifest beside each archive says."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import mmap
import pathlib
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from keras3dgan.commands.file_plan import readable_files
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import io

_ARCHIVES = "shapes-*.g3a"
# Names of files in a glTF; what it carries in itself begins with "data:".
_GLTF_FILE = re.compile(rb'"uri"\s*:\s*"((?!data:)[^"]{1,1000})"', re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Input:
    """Something to compress, as it is now: of another size or time it is another.

    Attributes:
        name: of a file, relative to the folder of the collection; of examples, their slice, as `train[0:1000]`.
        size: in bytes; of examples, that of their split.
        time: of the last change, in nanoseconds; of examples, 0.
    """

    name: str
    size: int
    time: int


@dataclasses.dataclass(frozen=True)
class Shard:
    """Inputs that become one archive.

    Attributes:
        target: the archive.
        inputs: by name.
        done: whether it is there, made of just these.
    """

    target: pathlib.Path
    inputs: tuple[Input, ...]
    done: bool = False

    @property
    def manifest(self) -> pathlib.Path:
        """Where its manifest lies."""
        return self.target.with_suffix(".json")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What an archive was made of.

    Attributes:
        archive: SHA-256 of the archive.
        made_by: what decided its bytes besides the inputs: source, model, goal and reading, as JSON has them.
        shapes: how many it holds.
        inputs: by name.
        bad: name and reason of those inputs that could not be read.
    """

    archive: str
    made_by: Mapping[str, Any]
    shapes: int
    inputs: tuple[Input, ...]
    bad: tuple[tuple[str, str], ...]

    def write(self, path: pathlib.Path) -> None:
        """Writes it as JSON."""
        content = dataclasses.asdict(self) | {"inputs": [dataclasses.astuple(each) for each in self.inputs]}
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content) + "\n")

    @classmethod
    def read(cls, path: pathlib.Path) -> Manifest:
        """Reads one.

        Raises:
            InputError: it is missing or damaged.
        """
        try:
            content = json.loads(path.read_bytes())
            inputs = tuple(Input(str(name), int(size), int(time)) for name, size, time in content.pop("inputs"))
            bad = tuple((str(name), str(why)) for name, why in content.pop("bad"))
            return cls(**content, inputs=inputs, bad=bad)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{path}: no manifest of the archive beside it; delete both, or choose another folder.", "output"
            ) from error


def digest(path: pathlib.Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_of(folder: pathlib.Path) -> list[Input]:
    """All readable files of a folder, at any depth, in the order of their names.

    Raises:
        InputError: there are none.
    """
    paths = readable_files(folder, io.READABLE)
    if not paths:
        raise InputError(f"{folder}: holds no file that is read here ({', '.join(io.READABLE)}).")
    return [_seen(path, str(path.relative_to(folder))) for path in paths]


def _seen(path: pathlib.Path, name: str) -> Input:
    """A file as it is now, together with the files that it names if it is a glTF."""
    files = [path.stat()]
    if path.suffix.lower() == ".gltf" and files[0].st_size:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            named = {urllib.parse.unquote(found[1].decode(errors="replace")) for found in _GLTF_FILE.finditer(content)}
        files += [beside.stat() for each in sorted(named) if (beside := path.parent / each).is_file()]
    return Input(name, sum(file.st_size for file in files), max(file.st_mtime_ns for file in files))


def plan(inputs: Sequence[Input], output: pathlib.Path, size: int, made_by: Mapping[str, Any]) -> list[Shard]:
    """Shares inputs out: those that have an archive stay with it, new ones fill archives up and then begin others.

    Args:
        inputs: all of the collection.
        output: folder of the archives, with what earlier runs made there.
        size: inputs an archive.
        made_by: as in `Manifest`.

    Returns:
        What is to be there in the end; archives of the folder that are of none of these have lost all their inputs.

    Raises:
        InputError: the folder holds archives of another collection, or made otherwise.
    """
    left = {each.name: each for each in inputs}
    shared: dict[pathlib.Path, list[Input]] = {}
    done = set()
    for target in _archives(output):
        manifest = Manifest.read(target.with_suffix(".json"))
        _check_same(target, manifest.made_by, made_by)
        shared[target] = [left.pop(each.name) for each in manifest.inputs if each.name in left]
        if shared[target] == [*manifest.inputs] and manifest.archive == digest(target):
            done.add(target)
    new = [*left.values()]
    for target in sorted(shared, key=lambda target: (target in done, target)):
        room = max(size - len(shared[target]), 0)
        if new and room:
            shared[target] += new[:room]
            new = new[room:]
            done.discard(target)
    names = (output / f"shapes-{index:05d}.g3a" for index in range(len(shared) + len(new)))
    free = (name for name in names if name not in shared)
    for start, target in zip(range(0, len(new), size), free, strict=False):
        shared[target] = new[start : start + size]
    return [
        Shard(target, tuple(sorted(shared[target], key=lambda each: each.name)), target in done)
        for target in sorted(shared)
        if shared[target]
    ]


def _archives(output: pathlib.Path) -> list[pathlib.Path]:
    """The archives that are there, or whose manifests are: these come first."""
    return sorted({*output.glob(_ARCHIVES), *(path.with_suffix(".g3a") for path in output.glob("shapes-*.json"))})


def _check_same(target: pathlib.Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name, value in now.items():
        if before.get(name) != value:
            raise InputError(
                f"{target}: was made with {name} {before.get(name)}, not {value}; give the same, or choose another folder.",
                "output",
            )


def remove_others(shards: Sequence[Shard], output: pathlib.Path) -> None:
    """Removes archives all of whose inputs are gone, and their manifests."""
    kept = {shard.target for shard in shards}
    for target in _archives(output):
        if target not in kept:
            target.unlink(missing_ok=True)
            target.with_suffix(".json").unlink()
