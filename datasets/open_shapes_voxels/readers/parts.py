"""The parts of a mesh, gathered to one surface."""

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import Surface


class Parts:
    """Collects parts.

    Args:
        name: what to call the file in an error message.
    """

    def __init__(self, name: str):
        self._name = name
        self._vertices: list[np.ndarray] = []
        self._faces: list[np.ndarray] = []
        self._count = 0

    def add(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        """Adds a part: (n, 3) and (m, 3), which counts the part's own vertices.

        Raises:
            InputError: a face names a vertex that does not exist.
        """
        if faces.size and not 0 <= faces.min() <= faces.max() < len(vertices):
            raise InputError(f"{self._name}: a face names a vertex that does not exist; get the package again.")
        self._vertices.append(np.asarray(vertices, np.float64).reshape(-1, 3))
        self._faces.append(faces.astype(np.int64).reshape(-1, 3) + self._count)
        self._count += len(self._vertices[-1])

    def surface(self) -> Surface:
        """All parts as one.

        Raises:
            InputError: there is no face, or a corner that is not finite.
        """
        faces = np.concatenate([np.empty((0, 3), np.int64), *self._faces])
        if not len(faces):
            raise InputError(f"{self._name}: has no faces.")
        vertices = np.concatenate(self._vertices)
        if not np.isfinite(vertices[faces]).all():
            raise InputError(f"{self._name}: has coordinates that are NaN or infinite.")
        return Surface(vertices, faces)
