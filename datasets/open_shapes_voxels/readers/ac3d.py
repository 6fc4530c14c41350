"""AC3D files (`.ac`), with the strips that TORCS adds to them (`.acc`): y up."""

import numpy as np

from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.polygons import Polygons, triangulate
from keras3dgan.voxels.readers import Surface

# The kind of a surface, in the lowest four bits of its flags; the others are lines.
_POLYGON, _STRIP = 0, 4
# Nested deeper than any real file.
_MAX_DEPTH = 64


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    if not content.startswith(b"AC3D"):
        raise InputError(f"{name}: is no AC3D file.")
    reader = _Reader(content.decode("latin-1").splitlines(), name)
    try:
        reader.objects()
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: is cut off or damaged; get the package again.") from error
    return reader.parts.surface()


class _Reader:
    """Walks through the lines of a file; objects stand in objects, moved and turned with these."""

    def __init__(self, lines: list[str], name: str):
        self._lines = lines
        self._at = 1
        self.parts = Parts(name)

    def objects(self) -> None:
        """Reads whatever stands behind the header."""
        while self._next():
            self._object(np.eye(3), np.zeros(3), 0)

    def _object(self, turn: np.ndarray, place: np.ndarray, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        self._at += 1
        vertices, corners, sizes = np.empty((0, 3)), [], []
        own_turn, own_place = np.eye(3), np.zeros(3)
        while True:
            words = self._lines[self._at].split()
            self._at += 1
            key = words[0] if words else ""
            if key == "data":
                self._at += 1  # a line of text, whatever it looks like
            elif key == "rot":
                own_turn = np.array(words[1:10], float).reshape(3, 3)
            elif key == "loc":
                own_place = np.array(words[1:4], float)
            elif key == "numvert":
                rows = self._take(int(words[1]))
                vertices = np.array([row.split()[:3] for row in rows], float).reshape(-1, 3)
            elif key == "SURF":
                for face in self._surface(int(words[1], 16) & 15):
                    corners += face
                    sizes.append(len(face))
            elif key == "kids":
                break
        # Vectors are rows: the object's own matrix first, then those around it.
        place = own_place @ turn + place
        turn = own_turn @ turn
        if sizes:
            flat = np.array(corners, np.int64)
            if not 0 <= flat.min() <= flat.max() < len(vertices):
                raise ValueError("no such vertex")
            self.parts.add(*triangulate(Polygons(vertices @ turn + place, flat, np.array(sizes, np.int64))))
        for _ in range(int(words[1])):
            # Some programs count more objects than they write; all readers take those that are there.
            if not self._next():
                return
            self._object(turn, place, depth + 1)

    def _next(self) -> bool:
        """Goes on to the next object; False at the end of the file."""
        while self._at < len(self._lines) and not self._lines[self._at].startswith("OBJECT"):
            self._at += 1
        return self._at < len(self._lines)

    def _surface(self, kind: int) -> list[list[int]]:
        while not self._lines[self._at].startswith("refs"):
            self._at += 1
        count = int(self._lines[self._at].split()[1])
        self._at += 1
        corners = [int(row.split()[0]) for row in self._take(count)]
        if kind == _POLYGON:
            return [corners] if count >= 3 else []
        if kind == _STRIP:
            # Every other triangle of a strip is turned round.
            return [[corners[k + k % 2], corners[k + 1 - k % 2], corners[k + 2]] for k in range(count - 2)]
        return []

    def _take(self, count: int) -> list[str]:
        rows = self._lines[self._at : self._at + count]
        if count < 0 or len(rows) < count:
            raise ValueError("cut off")
        self._at += count
        return rows
