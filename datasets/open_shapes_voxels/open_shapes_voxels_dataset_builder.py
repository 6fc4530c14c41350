"""Electronic parts, buildings, vehicles, animals and more as voxels, from Debian's packages."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterator

import tensorflow_datasets as tfds
from etils import epath

from keras3dgan.datasets import shapes
from keras3dgan.datasets.open_shapes_voxels import packages, selection, voxelizing
from keras3dgan.datasets.voxel_builder import VoxelBuilder

_ROOT = pathlib.Path("/")


@dataclasses.dataclass(kw_only=True)
class Config(tfds.core.BuilderConfig):
    """Grids of 128^3, or max-pooled from these.

    Attributes:
        resolution: n of the n^3 grids.
        most: shapes of a kind.
    """

    resolution: int
    most: int = selection.MOST_OF_A_KIND


class Builder(VoxelBuilder):
    """The builder of `open_shapes_voxels`; whole families of models share a split.

    Reads the packages that are installed, or those unpacked in `manual_dir`. Grids are made once for all configs, in a
    folder beside theirs; a build that was stopped goes on there.
    """

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    RELEASE_NOTES = {"1.0.0": "Ten packages of Debian 12."}
    BUILDER_CONFIGS = [Config(name=str(n), description=f"{n}^3 voxels", resolution=n) for n in (32, 64, 128)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Install some of Debian's packages "
        + ", ".join(package.name for package in packages.PACKAGES)
        + ", or unpack them in a folder and name that."
    )
    _found: list[selection.Chosen] | None = None

    def _info(self) -> tfds.core.DatasetInfo:
        page = "https://packages.debian.org/bookworm"
        return shapes.dataset_info(self, self.builder_config.resolution, selection.kinds(), page)

    def _find_source(self, dl_manager: tfds.download.DownloadManager) -> pathlib.Path:
        root = _ROOT
        if dl_manager._manual_dir is not None:  # its public name raises where none was given
            root = shapes.manual_dir(dl_manager, "open_shapes_voxels", "Debian's packages", "packages.debian.org")
        packages.installed(root)
        return root

    def _shapes(self, root: pathlib.Path, split: str) -> Iterator[shapes.SourceShape]:
        with voxelizing.Voxelizer(pathlib.Path(self.data_dir).parent.parent / "voxelised") as voxelizer:
            if self._found is None:
                candidates = selection.candidates(root)
                self._found = selection.choose(candidates, voxelizer, self.builder_config.most)
                left_out = [f"{each.model.id}: {each.reason}" for each in self._found if each.reason]
                self.info.metadata["skipped"].extend(left_out)
            for each in self._found:
                if not each.reason and each.split == split:
                    kept = voxelizer.file(each.model)
                    read = functools.partial(voxelizing.read, kept, self.builder_config.resolution)
                    yield shapes.SourceShape(each.model.id, each.kind, read)
