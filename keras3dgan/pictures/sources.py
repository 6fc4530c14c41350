"""Where pictures of shapes come from: their grids, the textured models behind them, or 3D-R2N2's renderings."""

from __future__ import annotations

import abc
import pathlib
import tempfile
import zipfile

import numpy as np
import trimesh

from keras3dgan import augmentation
from keras3dgan.errors import InputError
from keras3dgan.pictures.framing import framed, read_picture
from keras3dgan.pictures.renderer import DIRECTIONS, Renderer, Surface, surfaces_of_grid

# Framed pictures are cut out of larger ones.
_FINER = 2


class Source(abc.ABC):
    """Gives the views of a shape.

    Attributes:
        augmentations: those whose changes to a grid its views show.
    """

    augmentations: tuple[str, ...] = ()

    @abc.abstractmethod
    def views(self, name: str, grid: np.ndarray, size: int) -> np.ndarray:
        """Framed views uint8 (views, size, size, 4) of a shape, by its id or its grid (n, n, n).

        Raises:
            InputError: the source has no such shape, or it cannot be read.
        """


class GridSource(Source):
    """Shaded views of the marching-cubes surfaces of the grids themselves."""

    augmentations: tuple[str, ...] = augmentation.NAMES

    def __init__(self) -> None:
        self._renderer: Renderer | None = None

    def views(self, name: str, grid: np.ndarray, size: int) -> np.ndarray:
        return self._rendered(surfaces_of_grid(grid), size)

    def _rendered(self, surfaces: list[Surface], size: int) -> np.ndarray:
        if self._renderer is None:
            self._renderer = Renderer(size * _FINER)
        return np.stack([framed(view, size) for view in self._renderer.views(surfaces, DIRECTIONS)])


class CatalogueSource(GridSource):
    """Textured views of the models that `furniture_voxels` was made from, stretched as their grids are.

    Args:
        folder: holds the `.sh3f` files of Debian's package `sweethome3d-furniture`.

    Raises:
        InputError: it does not.
    """

    augmentations: tuple[str, ...] = ("stretch",)

    def __init__(self, folder: str):
        from keras3dgan.datasets.furniture_voxels import catalogue

        super().__init__()
        self._folder = pathlib.Path(folder)
        self._entries: dict[str, catalogue.Entry] = {}
        self._archives: dict[str, zipfile.ZipFile] = {}
        for name in catalogue.NAMES:
            path = self._folder / f"{name}.sh3f"
            if not path.is_file():
                raise InputError(f"{path} is missing; unpack Debian's package sweethome3d-furniture there.", "views")
            try:
                self._archives[name] = zipfile.ZipFile(path)
            except (OSError, zipfile.BadZipFile) as error:
                raise InputError(f"{path} is damaged; unpack the package again.", "views") from error
            self._entries |= {entry.id: entry for entry in catalogue.read(self._archives[name], name)}

    def views(self, name: str, grid: np.ndarray, size: int) -> np.ndarray:
        if name not in self._entries:
            raise InputError(f"{self._folder} has no model '{name}'; textured views are of furniture_voxels.", "views")
        entry = self._entries[name]
        archive = self._archives[entry.catalogue]
        above = entry.model.rpartition("/")[0]
        members = [member for member in archive.namelist() if member.rpartition("/")[0] == above]
        with tempfile.TemporaryDirectory() as folder:
            archive.extractall(folder, members)
            surfaces = read_surfaces(pathlib.Path(folder) / entry.model)
        vertices = np.concatenate([surface.mesh.triangles.reshape(-1, 3) for surface in surfaces])
        pose = entry.pose(vertices)
        pose = _stretch(trimesh.transform_points(vertices, pose), grid) @ pose
        for surface in surfaces:
            surface.mesh.apply_transform(pose)
        return self._rendered(surfaces, size)


class RenderingSource(Source):
    """The 24 renderings a model of 3D-R2N2's `ShapeNetRendering`: `<synset>/<model>/rendering/00.png` and so on.

    Args:
        folder: holds the synset folders.

    Raises:
        InputError: it does not.
    """

    def __init__(self, folder: str):
        self._folder = pathlib.Path(folder)
        if not any(self._folder.glob("*/*/rendering")):
            raise InputError(
                f"{folder} holds no <synset>/<model>/rendering; name the folder ShapeNetRendering.", "views"
            )

    def views(self, name: str, grid: np.ndarray, size: int) -> np.ndarray:
        paths = sorted((self._folder / name / "rendering").glob("[0-9]*.png"))
        if not paths:
            raise InputError(f"{self._folder / name / 'rendering'} holds no pictures.", "views")
        return np.stack([read_picture(path, size) for path in paths])


def source_kind(words: str) -> type[Source]:
    """The class of the source that `--views` names: `grids`, or a folder of `.sh3f` catalogues or of ShapeNetRendering.

    Raises:
        InputError: it is none of these.
    """
    if words == "grids":
        return GridSource
    folder = pathlib.Path(words)
    if not folder.is_dir():
        raise InputError(f"{words} is no folder; name one of catalogues or of ShapeNetRendering, or 'grids'.", "views")
    return CatalogueSource if any(folder.glob("*.sh3f")) else RenderingSource


def open_source(words: str) -> Source:
    """The source of `source_kind`; errors as it and its class.

    Args:
        words: what `--views` names.
    """
    kind = source_kind(words)
    if kind is GridSource:
        return GridSource()
    return CatalogueSource(words) if kind is CatalogueSource else RenderingSource(words)


def read_surfaces(path: pathlib.Path) -> list[Surface]:
    """The parts of a textured mesh file, each with its material.

    Raises:
        InputError: it cannot be read, or has no faces.
    """
    try:
        scene = trimesh.load_scene(path, process=False)
        meshes = scene.dump() if hasattr(scene, "dump") else list(scene.geometry.values())
        found = [_surface(mesh) for mesh in meshes if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces)]
    except Exception as error:  # trimesh raises whatever a damaged file leads it to
        raise InputError(f"{path}: not a readable {path.suffix} mesh; export it again.") from error
    if not found:
        raise InputError(f"{path}: has no faces; export it as a mesh, not as points or lines.")
    return found


def _stretch(vertices: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The scaling (4, 4) that gives a posed model the proportions of its grid, where that has been stretched."""
    occupied = np.ptp(np.argwhere(grid), axis=0) + 1.0
    extents = np.ptp(vertices, axis=0)
    extents *= occupied.max() / extents.max()
    # A voxel that a model touches is occupied: as it is, its grid is up to two voxels longer.
    as_it_is = (extents <= occupied + 1e-6) & (occupied <= extents + 2)
    return np.diag([*np.where(as_it_is, 1.0, (occupied - 1) / np.maximum(extents, 1.0)), 1.0])


def _surface(mesh: trimesh.Trimesh) -> Surface:
    material = getattr(mesh.visual, "material", None)
    color = np.asarray(getattr(material, "diffuse", (184, 184, 184)), np.float64)[:3] / 255
    image = getattr(material, "image", None)
    uv = getattr(mesh.visual, "uv", None)
    red, green, blue = color.tolist()
    if image is None or uv is None or len(uv) != len(mesh.vertices):
        return Surface(mesh, (red, green, blue))
    # A black diffuse colour beside a texture means that nobody set it.
    tint = (red, green, blue) if max(red, green, blue) > 0.05 else (1.0, 1.0, 1.0)
    return Surface(mesh, tint, np.asarray(uv), np.asarray(image.convert("RGB")))
