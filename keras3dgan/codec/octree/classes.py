"""What classes the shapes behind a model's prototypes are of, so that shapes of a class can be sampled."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from keras3dgan.codec.octree.layout import Layout, Length
from keras3dgan.errors import InputError

_MOST_CLASSES = 1000
_MOST_NAME_BYTES = 1 << 16
_MOST_TABLE_BYTES = 1 << 22


def layout(prototypes: Length) -> dict[str, Layout]:
    """What their arrays are like in a model's file, which may be without them."""
    names, classes = Length("bytes of class names", 1, _MOST_NAME_BYTES), Length("classes", 1, _MOST_CLASSES)
    return {
        "class_names": Layout("uint8", (names,), 0, 255, optional=True),
        "class_counts": Layout("uint16", (prototypes, classes), 0, (1 << 16) - 1, optional=True),
    }


@dataclasses.dataclass(frozen=True)
class Classes:
    """How many shapes of each class start from each prototype.

    Attributes:
        names: of the classes.
        counts: uint16 (prototypes, classes).
    """

    names: tuple[str, ...]
    counts: np.ndarray

    def __post_init__(self) -> None:
        if self.counts.ndim != 2 or self.counts.shape[1] != len(self.names) or len(set(self.names)) < len(self.names):
            raise ValueError("expected counts (prototypes, classes) and different names")

    def weights(self, chosen: Sequence[str]) -> list[int]:
        """For each prototype, how many shapes of these classes start from it.

        Raises:
            InputError: a class that the model does not know.
        """
        for name in chosen:
            if name not in self.names or not self.counts[:, self.names.index(name)].any():
                known = [n for n, total in zip(self.names, self.counts.sum(axis=0), strict=True) if total]
                raise InputError(f"'{name}' is none of this model's; choose among {', '.join(known)}.", "classes")
        return self.counts[:, [self.names.index(name) for name in chosen]].sum(axis=1, dtype=np.int64).tolist()

    def arrays(self) -> dict[str, np.ndarray]:
        """As a model's file holds them."""
        names = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        return {"class_names": names, "class_counts": self.counts.astype(np.uint16)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], name: str) -> Classes | None:
        """Undoes `arrays`; None where a model's file has none.

        Raises:
            InputError: names and counts do not belong together; the message calls the file `name`.
        """
        if "class_names" not in arrays and "class_counts" not in arrays:
            return None
        try:
            return cls(tuple(arrays["class_names"].tobytes().decode().split("\n")), arrays["class_counts"])
        except (KeyError, ValueError) as error:
            why = "its arrays 'class_names' and 'class_counts' do not belong together"
            raise InputError(f"{name}: not a trained octree model, {why}; get the file again.") from error

    def write(self, path: pathlib.Path, fingerprint: bytes) -> None:
        """Writes a table beside a model's file that has no such arrays; undone by `read`."""
        rows = [{self.names[c]: int(row[c]) for c in np.flatnonzero(row)} for row in self.counts]
        lines = ",\n".join(json.dumps(row) for row in rows)
        path.write_text(f'{{"model": "{fingerprint.hex()}", "prototypes": [\n{lines}\n]}}\n')

    @classmethod
    def read(cls, path: pathlib.Path, fingerprint: bytes, prototypes: int) -> Classes:
        """Reads what `write` wrote for the model of this fingerprint, which has so many prototypes.

        Raises:
            InputError: it is another model's, or no such table.
        """
        try:
            with open(path, "rb") as file:
                content = json.loads(file.read(_MOST_TABLE_BYTES))
            rows = content["prototypes"]
            if content["model"] != fingerprint.hex() or len(rows) != prototypes:
                raise ValueError("another model's")
            names = sorted({str(name) for row in rows for name in row})
            if len(names) > _MOST_CLASSES:
                raise ValueError("too many classes")
            counts = np.array([[row.get(name, 0) for name in names] for row in rows], np.uint16)
            return cls(tuple(names), counts.reshape(len(rows), len(names)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(f"{path}: not the table of classes of the model beside it; remove it.") from error


def count(numbers: np.ndarray, prototypes: int, labels: Sequence[str]) -> Classes:
    """Classes of shapes by the prototypes that they start from.

    Args:
        numbers: (count,) of the prototypes, from 1, as `Codebook.nearest` gives them; 0 is nothing.
        prototypes: how many there are.
        labels: (count,), the class of each shape.
    """
    names = tuple(sorted(set(labels)))
    counts = np.zeros((prototypes, len(names)), np.int64)
    named = numbers > 0
    np.add.at(counts, (numbers[named] - 1, np.array([names.index(label) for label in labels])[named]), 1)
    return Classes(names, np.minimum(counts, (1 << 16) - 1).astype(np.uint16))
