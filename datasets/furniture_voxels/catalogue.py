"""The five catalogues of Debian's package `sweethome3d-furniture`: their entries, and the pose in which they are shown."""

import dataclasses
import re
import zipfile
from collections.abc import Iterator

import numpy as np

from keras3dgan.voxels import mesh as meshes

NAMES = ("BlendSwap-CC-0", "BlendSwap-CC-BY", "KatorLegaz", "Reallusion", "Scopia")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One model of a catalogue, as its properties file describes it."""

    catalogue: str
    values: dict[str, str]

    @property
    def id(self) -> str:
        """Catalogue and model name, unique and stable: `Scopia/bed1`."""
        return f"{self.catalogue}/{self.values['id'].split('#', 1)[1]}"

    @property
    def model(self) -> str:
        """Path of the mesh inside the catalogue."""
        return self.values["model"].lstrip("/")

    def pose(self, vertices: np.ndarray) -> np.ndarray:
        """The matrix (4, 4) that turns and proportions the model as Sweet Home 3D shows it, z up.

        Args:
            vertices: (count, 3), all that its faces use.
        """
        matrix = np.eye(4)
        if "modelRotation" in self.values:
            matrix[:3, :3] = np.array(self.values["modelRotation"].split(), dtype=float).reshape(3, 3)
        sides = np.array([float(self.values[side]) for side in ("width", "height", "depth")])
        extent = np.maximum(np.ptp(vertices @ matrix[:3, :3].T, axis=0), 1e-9)
        return meshes.Y_UP_TO_Z_UP @ np.diag([*(sides / extent), 1.0]) @ matrix


def read(archive: zipfile.ZipFile, name: str) -> Iterator[Entry]:
    """The entries of a `.sh3f` file's `PluginFurnitureCatalog.properties` (Java properties, Latin-1)."""
    entries: dict[int, dict[str, str]] = {}
    for line in archive.read("PluginFurnitureCatalog.properties").decode("latin-1").splitlines():
        match = re.match(r"(\w+)#(\d+)\s*=\s*(.*)", line)
        if match:
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), match[3])
            entries.setdefault(int(match[2]), {})[match[1]] = value.strip()
    for _, values in sorted(entries.items()):
        yield Entry(name, values)
