"""Which models of the packages become shapes: of many kinds, none too often, none twice."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import pathlib
import re
from collections.abc import Iterable, Iterator

import numpy as np
import tqdm

from keras3dgan.datasets.open_shapes_voxels import packages
from keras3dgan.datasets.open_shapes_voxels.licences import Licences
from keras3dgan.datasets.open_shapes_voxels.packages import Model
from keras3dgan.datasets.open_shapes_voxels.voxelizing import Voxelizer
from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.shape_set import own_split

MOST_OF_A_KIND = 700
_COMPARED = 32
_KINDS = pathlib.Path(__file__).parent / "kinds.tsv"
_LEFT_OUT = "-"


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A shape of the data set, or a file that became none.

    Attributes:
        model: its file.
        kind: its class.
        licence: by debian/copyright.
        holders: who holds the copyright.
        version: of the package.
        reason: why it became none; empty for a shape.
    """

    model: Model
    kind: str
    licence: str
    holders: str
    version: str
    reason: str = ""

    @property
    def split(self) -> str:
        """By the family alone: a tenth of the families is `validation`, a fifth `test`."""
        return own_split(self.model.family)


@functools.cache
def _rules() -> list[tuple[str, re.Pattern[str], re.Pattern[str]]]:
    """The table `kinds.tsv` as (kind, package pattern, path pattern)."""
    rules = []
    for line in _KINDS.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, package, path = line.split("\t")
            package, path = (".*" if word == "*" else word for word in (package, path))
            rules.append((kind, re.compile(package), re.compile(path, re.IGNORECASE)))
    return rules


def kinds() -> list[str]:
    """The classes, sorted."""
    return sorted({kind for kind, _, _ in _rules()} - {_LEFT_OUT})


def kind_of(model: Model) -> str | None:
    """The kind of the first rule that matches; None where it leaves the file out."""
    for kind, package, path in _rules():
        if package.fullmatch(model.package.name) and path.search(model.path):
            return None if kind == _LEFT_OUT else kind
    raise ValueError(f"no rule for {model.id}; the last line of kinds.tsv must match everything")


def candidates(root: pathlib.Path) -> list[Chosen]:
    """The model files of all packages that are there but those that the rules leave out; errors as `installed`."""
    found = []
    for package, top in packages.installed(root):
        licences = Licences(top / "usr/share/doc" / package.name / "copyright")
        version = packages.version(package, top)
        for model in packages.models(package, top):
            kind = kind_of(model)
            if kind is not None:
                found.append(Chosen(model, kind, *licences.of(model.source), version))
    return found


def choose(found: Iterable[Chosen], voxelizer: Voxelizer, most: int = MOST_OF_A_KIND) -> list[Chosen]:
    """Voxelises model files, family by family in turn, until a kind has enough shapes.

    A shape whose grid of 32^3 equals one that is there, turned about the vertical by any quarter, is left out.

    Args:
        found: the files.
        voxelizer: makes their grids.
        most: shapes of a kind.

    Returns:
        Everything that was looked at, kind by kind; those with a reason became no shapes.
    """
    of_kind: dict[str, list[Chosen]] = {kind: [] for kind in kinds()}
    for each in found:
        of_kind[each.kind].append(each)
    seen: dict[bytes, str] = {}
    looked_at = []
    for kind, files in of_kind.items():
        count = 0
        for each in tqdm.tqdm(list(in_turn(files)), desc=kind, disable=None):
            if count == most:
                break
            each = _checked(each, voxelizer, seen)
            count += not each.reason
            looked_at.append(each)
    return looked_at


def _checked(each: Chosen, voxelizer: Voxelizer, seen: dict[bytes, str]) -> Chosen:
    try:
        key = _key(voxelizer.grid(each.model))
    except InputError as error:
        return dataclasses.replace(each, reason=str(error).removeprefix("it: "))
    if key in seen:
        return dataclasses.replace(each, reason=f"looks like {seen[key]}")
    seen[key] = each.model.id
    return each


def _key(grid: np.ndarray) -> bytes:
    small = grids.resample(grid, _COMPARED)
    return min(hashlib.sha256(grids.pack(np.rot90(small, turn)).tobytes()).digest() for turn in range(4))


def in_turn(files: Iterable[Chosen]) -> Iterator[Chosen]:
    """One file of each family, then the next of each; the order within a family, and of families, is that of hashes."""
    families: dict[str, list[Chosen]] = {}
    for each in sorted(files, key=lambda each: _hash(each.model.id)):
        families.setdefault(each.model.family, []).append(each)
    queues = [families[name] for name in sorted(families, key=_hash)]
    for place in range(max(map(len, queues), default=0)):
        yield from (queue[place] for queue in queues if place < len(queue))


def _hash(name: str) -> bytes:
    # Not the hash that splits are cut by: families that came first by that one would all be of one split.
    return hashlib.sha256(f"order of {name}".encode()).digest()
