"""Real furniture, freely licensed, embedded in the package."""

import dataclasses
import pathlib

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from keras3dgan.datasets import shapes
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.shape_set import own_split

ARCHIVE = pathlib.Path(__file__).parent / "furniture_64.npz"
_STORED = 64


@dataclasses.dataclass(kw_only=True)
class Config(tfds.core.BuilderConfig):
    """Grids of 32^3, which are max-pooled from 64^3, or of 64^3."""

    resolution: int


class Builder(tfds.core.GeneratorBasedBuilder):
    """The builder of `furniture_voxels`.

    The source has no official split. Shapes whose 32^3 grids are equal share a split: a tenth is `validation`, a fifth
    `test`.
    """

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    RELEASE_NOTES = {"1.0.0": "Sweet Home 3D furniture 1.8, 820 models."}
    BUILDER_CONFIGS = [Config(name=str(n), description=f"{n}^3 voxels", resolution=n) for n in (32, _STORED)]

    def _info(self) -> tfds.core.DatasetInfo:
        [class_names] = _read("class_names")
        names = class_names.tolist()
        return shapes.dataset_info(self, self.builder_config.resolution, names, "https://www.sweethome3d.com")

    def _split_generators(self, dl_manager):
        del dl_manager  # the archive lies beside this file
        packed, labels, ids, names = _read("packed", "labels", "ids", "class_names")
        volumes = grids.unpack(packed, _STORED)
        small = [grids.resample(volume, 32) for volume in volumes]
        chosen = small if self.builder_config.resolution == 32 else volumes
        splits = np.array([own_split(grids.pack(volume).tobytes().hex()) for volume in small])
        return {
            split: shapes.generate(
                [
                    shapes.SourceShape(str(ids[row]), str(names[labels[row]]), lambda row=row: chosen[row])
                    for row in np.flatnonzero(splits == split)
                ],
                split,
                self.info.metadata["skipped"],
            )
            for split in ("train", "validation", "test")
        }

    def _generate_examples(self):
        """Unused: `_split_generators` gives the generators themselves. TFDS demands it."""
        raise NotImplementedError


def _read(*names: str) -> list[np.ndarray]:
    """Arrays of the archive."""
    with ARCHIVE.open("rb") as file, np.load(file) as archive:
        return [archive[name] for name in names]
