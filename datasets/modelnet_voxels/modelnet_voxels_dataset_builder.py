"""ModelNet10 and ModelNet40 as voxels."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from keras3dgan.datasets import shapes
from keras3dgan.datasets.voxel_builder import VoxelBuilder
from keras3dgan.errors import InputError
from keras3dgan.voxels.grid import fit
from keras3dgan.voxels.io import read_grid, read_shape
from keras3dgan.voxels.shape_set import MODELNET10_CLASSES, is_validation, read_packed_archive

PAGE = "https://modelnet.cs.princeton.edu"
MODELNET40_CLASSES = tuple(
    "airplane bathtub bed bench bookshelf bottle bowl car chair cone cup curtain desk door dresser flower_pot glass_box "
    "guitar keyboard lamp laptop mantel monitor night_stand person piano plant radio range_hood sink sofa stairs stool "
    "table tent toilet tv_stand vase wardrobe xbox".split()
)
_WANTED = {
    "volumetric": "the 3DShapeNets source code with its folder 'volumetric_data'",
    "off": "ModelNet10.zip or ModelNet40.zip, unpacked to a folder of that name",
    "packed": "a .npz file with X_train, y_train, X_test, y_test",
}


@dataclasses.dataclass(kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One form of the source at one resolution.

    Attributes:
        source: `volumetric` (3DShapeNets .mat, 30^3, 12 rotations), `off` (meshes) or `packed` (.npz).
        count: 10 or 40 classes.
        resolution: n of the n^3 grids.
    """

    source: str
    count: int
    resolution: int


def _configs() -> list[Config]:
    configs = []
    for source, count in (("volumetric", 10), ("volumetric", 40), ("off", 10), ("off", 40), ("packed", 10)):
        for resolution in (32, 64):
            name = f"{source}{count}_{resolution}"
            text = f"ModelNet{count} from its {source} form, {resolution}^3 voxels"
            configs.append(Config(name=name, description=text, source=source, count=count, resolution=resolution))
    return configs


class Builder(VoxelBuilder):
    """The builder of `modelnet_voxels`. `validation` is a tenth of the official train split, whole objects at a time."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = _configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Get " + ", or ".join(_WANTED.values()) + f", from {PAGE}."

    def _info(self) -> tfds.core.DatasetInfo:
        names = MODELNET10_CLASSES if self.builder_config.count == 10 else MODELNET40_CLASSES
        return shapes.dataset_info(self, self.builder_config.resolution, names, PAGE)

    def _find_source(self, dl_manager: tfds.download.DownloadManager) -> pathlib.Path:
        return shapes.manual_dir(dl_manager, "modelnet_voxels", _WANTED[self.builder_config.source], PAGE)

    def _shapes(self, folder: pathlib.Path, split: str) -> Iterator[shapes.SourceShape]:
        if self.builder_config.source == "packed":
            return self._packed(folder, split)
        return self._files(folder, split)

    def _packed(self, folder: pathlib.Path, split: str) -> Iterator[shapes.SourceShape]:
        found = sorted(folder.glob("*.npz"))
        if len(found) != 1:
            raise InputError(f"{folder} holds {len(found)} .npz files; name a folder with just one.", "manual_dir")
        stored = read_packed_archive(found[0], split, self.builder_config.resolution)
        for row in range(len(stored)):
            label = stored.class_names[stored.labels[row]]
            yield shapes.SourceShape(str(stored.ids[row]), label, functools.partial(stored.grids, row))

    def _files(self, folder: pathlib.Path, split: str) -> Iterator[shapes.SourceShape]:
        config = self.builder_config
        top = folder / ("volumetric_data" if config.source == "volumetric" else f"ModelNet{config.count}")
        if not top.is_dir():
            raise InputError(f"{top}: no such folder; get {_WANTED[config.source]} from {PAGE} and put it there.")
        wanted = set(self.info.features["label"].names)
        present = sorted(entry.name for entry in top.iterdir() if entry.is_dir())
        unknown = [name for name in present if name not in MODELNET40_CLASSES]
        if unknown:
            raise InputError(f"{top}: '{unknown[0]}' is no class of ModelNet; move that folder elsewhere.")
        part = "test" if split == "test" else "train"
        for name in (name for name in present if name in wanted):
            if config.source == "volumetric":
                files = sorted((top / name / "30" / part).glob("*.mat"))
            else:
                files = sorted((top / name / part).glob("*.off"))
            for path in files:
                # All 12 rotations of an object, chair_0001_1.mat to chair_0001_12.mat, stay in one split.
                group = path.stem.rsplit("_", 1)[0] if config.source == "volumetric" else path.stem
                if split == "test" or is_validation(group) == (split == "validation"):
                    yield shapes.SourceShape(
                        f"{part}/{path.stem}", name, functools.partial(_read, path, config.resolution)
                    )


def _read(path: pathlib.Path, resolution: int) -> np.ndarray:
    if path.suffix == ".off":
        return read_shape(path, resolution, up="z")
    # The report's 32^3: the official 30^3 with an empty border; 64^3 is upsampled from that.
    return fit(fit(read_grid(path, up="z"), 32), resolution)
