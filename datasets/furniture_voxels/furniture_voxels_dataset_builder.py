"""Real furniture, freely licensed, embedded in the package."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NoReturn

import tensorflow_datasets as tfds
from etils import epath

from keras3dgan.datasets import shapes
from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.voxels.shape_set import SPLITS


@dataclasses.dataclass(kw_only=True)
class Config(tfds.core.BuilderConfig):
    """Grids of 32^3, which are max-pooled from 64^3, or of 64^3."""

    resolution: int


class Builder(tfds.core.GeneratorBasedBuilder):
    """The builder of `furniture_voxels`; splits as `bundled.read` makes them."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    RELEASE_NOTES = {"1.0.0": "Sweet Home 3D furniture 1.8, 820 models."}
    BUILDER_CONFIGS = [Config(name=str(n), description=f"{n}^3 voxels", resolution=n) for n in bundled.RESOLUTIONS]

    def _info(self) -> tfds.core.DatasetInfo:
        resolution = self.builder_config.resolution
        return shapes.dataset_info(self, resolution, bundled.class_names(), "https://www.sweethome3d.com")

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # the archive lies in the package
        return {split: self._examples(split) for split in SPLITS}

    def _examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        stored = bundled.read(split, self.builder_config.resolution)
        return shapes.generate(
            [
                shapes.SourceShape(
                    str(name), stored.class_names[label], lambda row=row: stored.grids(slice(row, row + 1))[0]
                )
                for row, (name, label) in enumerate(zip(stored.ids, stored.labels, strict=True))
            ],
            split,
            self.info.metadata["skipped"],
        )

    def _generate_examples(self) -> NoReturn:
        """Unused: `_split_generators` gives the generators themselves. TFDS demands it."""
        raise NotImplementedError
