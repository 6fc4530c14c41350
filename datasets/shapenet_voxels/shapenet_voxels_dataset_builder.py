"""ShapeNetCore as voxels, from its own files or from 3D-R2N2's."""

import csv
import dataclasses
import functools
import pathlib
from collections.abc import Iterator

import tensorflow_datasets as tfds
from etils import epath

from keras3dgan.datasets import shapes
from keras3dgan.datasets.voxel_builder import VoxelBuilder
from keras3dgan.errors import InputError
from keras3dgan.voxels.io import read_shape
from keras3dgan.voxels.shape_set import own_split

PAGE = "https://shapenet.org"
# File of a model below <synset>/<model>/, by source.
_FILES = {
    "solid": "models/model_normalized.solid.binvox",
    "surface": "models/model_normalized.surface.binvox",
    "mesh": "models/model_normalized.obj",
    "r2n2": "model.binvox",
}


@dataclasses.dataclass(kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One kind of file at one resolution.

    Attributes:
        source: `solid`, `surface` or `mesh` of a ShapeNetCore tree, or `r2n2` for 3D-R2N2's ShapeNetVox32.
        resolution: n of the n^3 grids; binvox files of any other size are resampled.
    """

    source: str
    resolution: int


def read_synsets() -> dict[str, str]:
    """The table `synsets.tsv`: WordNet synset id to class name, the 55 of ShapeNetCore."""
    with open(pathlib.Path(__file__).parent / "synsets.tsv", newline="") as file:
        return dict(csv.reader(file, delimiter="\t"))


class Builder(VoxelBuilder):
    """The builder of `shapenet_voxels`.

    The trees carry no split: a tenth of the models is `validation`, a fifth `test`, by a hash of the model's id.
    ShapeNet's y axis points up; grids come out z up.
    """

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        Config(name=f"{source}_{n}", description=f"{_FILES[source]} at {n}^3", source=source, resolution=n)
        for source in _FILES
        for n in (32, 64)
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Get ShapeNetCore from {PAGE} (or ShapeNetVox32 of 3D-R2N2), unpack it, and name the folder that holds the "
        "synset folders, or its parent."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return shapes.dataset_info(self, self.builder_config.resolution, sorted(read_synsets().values()), PAGE)

    def _find_source(self, dl_manager: tfds.download.DownloadManager) -> pathlib.Path:
        return self._find_tree(shapes.manual_dir(dl_manager, "shapenet_voxels", "ShapeNetCore or ShapeNetVox32", PAGE))

    def _find_tree(self, folder: pathlib.Path) -> pathlib.Path:
        synsets = read_synsets()
        below = sorted(entry for entry in folder.iterdir() if entry.is_dir())
        for candidate in [folder, *below]:
            if any((candidate / synset).is_dir() for synset in synsets):
                return candidate
        raise InputError(f"{folder}: no synset folder such as 03001627 here or one level below; get them from {PAGE}.")

    def _shapes(self, top: pathlib.Path, split: str) -> Iterator[shapes.SourceShape]:
        synsets = read_synsets()
        for folder in sorted(entry for entry in top.iterdir() if entry.is_dir()):
            if folder.name.isdigit() and folder.name not in synsets:
                raise InputError(f"{folder}: '{folder.name}' is no synset of ShapeNetCore; move that folder elsewhere.")
            for model in sorted(folder.iterdir()) if folder.name in synsets else ():
                if model.is_dir() and own_split(model.name) == split:
                    path = model / _FILES[self.builder_config.source]
                    read = functools.partial(read_shape, path, self.builder_config.resolution, up="y")
                    yield shapes.SourceShape(f"{folder.name}/{model.name}", synsets[folder.name], read)
