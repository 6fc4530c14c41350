"""Renders meshes by Panda3D's software rasteriser, which needs neither a display nor a graphics driver."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import trimesh
from PIL import Image

from keras3dgan.errors import InputError

# Degrees. A round about the object, from a little above and from higher up in turn, as people take pictures of furniture.
DIRECTIONS = tuple((azimuth, (15, 30)[index % 2]) for index, azimuth in enumerate(range(0, 360, 30)))
# Pixels are rendered so many times as fine along each edge, and averaged.
_FINER = 2
_FIELD_OF_VIEW = 30.0
# Of the camera from the middle of the unit cube, whose corners all lie in the field of view.
_DISTANCE = 3.35
_GREY = (0.72, 0.72, 0.72)
_AMBIENT, _DIFFUSE = 0.4, 0.75
# Pixels along an edge of a texture, of which views show few.
_TEXTURE = 128


@dataclasses.dataclass(frozen=True)
class Surface:
    """A part of an object that is of one material.

    Attributes:
        mesh: triangles, z up.
        color: red, green, blue in [0, 1]; a texture is multiplied by it.
        uv: float (vertices, 2), places in the texture, the origin at its lower left.
        texture: uint8 (height, width, 3).
    """

    mesh: trimesh.Trimesh
    color: tuple[float, float, float] = _GREY
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None


class Renderer:
    """Renders views of objects. One is enough for a process.

    Args:
        size: pixels along an edge.

    Raises:
        InputError: Panda3D is not installed.

    Example:
        >>> cube = np.zeros((32, 32, 32), np.uint8)
        >>> cube[8:24, 8:24, 8:24] = 1
        >>> Renderer(size=64).views(surfaces_of_grid(cube), [(30, 20)]).shape
        (1, 64, 64, 4)
    """

    def __init__(self, size: int):
        self.size = size
        core = _panda3d()
        self._engine = core.GraphicsEngine.getGlobalPtr()
        pipe = core.GraphicsPipeSelection.getGlobalPtr().makePipe("TinyOffscreenGraphicsPipe", "p3tinydisplay")
        bits = core.FrameBufferProperties()
        bits.setRgbaBits(8, 8, 8, 8)
        bits.setDepthBits(24)
        window = core.WindowProperties.size(size * _FINER, size * _FINER)
        self._buffer = self._engine.makeOutput(pipe, "views", 0, bits, window, core.GraphicsPipe.BFRefuseWindow)
        self._buffer.setClearColor((0, 0, 0, 0))
        self._scene = core.NodePath("scene")
        lens = core.PerspectiveLens()
        lens.setFov(_FIELD_OF_VIEW)
        lens.setNearFar(1, 10)
        self._camera = self._scene.attachNewNode(core.Camera("camera", lens))
        self._buffer.makeDisplayRegion().setCamera(self._camera)
        ambient, sun = core.AmbientLight("ambient"), core.DirectionalLight("sun")
        ambient.setColor((_AMBIENT,) * 3 + (1,))
        sun.setColor((_DIFFUSE,) * 3 + (1,))
        self._scene.setLight(self._scene.attachNewNode(ambient))
        # Over the photographer's left shoulder.
        place = self._camera.attachNewNode(sun)
        place.setHpr(-25, -30, 0)
        self._scene.setLight(place)

    def views(self, surfaces: Sequence[Surface], directions: Sequence[tuple[float, float]] = DIRECTIONS) -> np.ndarray:
        """Pictures of an object.

        Args:
            surfaces: its parts; together they are scaled and moved as `voxelize` does, to fill the unit cube.
            directions: azimuth and elevation of the camera in degrees; at azimuth 0 it looks along y.

        Returns:
            uint8 (directions, size, size, 4): red, green, blue, alpha, not multiplied; alpha is 0 where there is no object.
        """
        low, high = _bounds(surfaces)
        root = self._scene.attachNewNode("object")
        try:
            for surface in surfaces:
                corners = (surface.mesh.triangles - (low + high) / 2) / max(float((high - low).max()), 1e-12)
                _attach(root, surface, corners)
            return np.stack([self._view(*direction) for direction in directions])
        finally:
            root.removeNode()

    def _view(self, azimuth: float, elevation: float) -> np.ndarray:
        a, e = np.radians(azimuth), np.radians(elevation)
        self._camera.setPos(
            *(_DISTANCE * np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])).tolist()
        )
        self._camera.lookAt(0, 0, 0)
        self._engine.renderFrame()
        taken = self._buffer.getScreenshot()
        wide = self.size * _FINER
        pixels = np.frombuffer(taken.getRamImageAs("RGBA"), np.uint8).reshape(wide, wide, 4)[::-1]
        return _averaged(pixels.astype(np.float32), self.size)


def surfaces_of_grid(grid: np.ndarray) -> list[Surface]:
    """The marching-cubes surface of a grid (n, n, n), in grey."""
    from keras3dgan.voxels.mesh import surface

    return [Surface(surface(grid))]


def _bounds(surfaces: Sequence[Surface]) -> tuple[np.ndarray, np.ndarray]:
    corners = [surface.mesh.triangles.reshape(-1, 3) for surface in surfaces if len(surface.mesh.faces)]
    if not corners:
        return np.zeros(3), np.ones(3)
    return np.min([c.min(axis=0) for c in corners], axis=0), np.max([c.max(axis=0) for c in corners], axis=0)


def _averaged(pixels: np.ndarray, size: int) -> np.ndarray:
    """Blocks of pixels made one; colours count as much as they cover."""
    blocks = pixels.reshape(size, _FINER, size, _FINER, 4)
    alpha = blocks[..., 3:] / 255
    covered = alpha.sum(axis=(1, 3))
    colors = (blocks[..., :3] * alpha).sum(axis=(1, 3)) / np.maximum(covered, 1e-6)
    return np.rint(np.concatenate([colors, 255 * covered / _FINER**2], axis=-1)).astype(np.uint8)


def _attach(root: Any, surface: Surface, corners: np.ndarray) -> None:
    """Puts triangles (count, 3, 3) into the scene, each from both sides: scanned and drawn meshes face either way."""
    if not len(corners):
        return
    core = _panda3d()
    normals = np.repeat(surface.mesh.face_normals[:, None], 3, axis=1)
    columns = [corners, normals]
    textured = surface.uv is not None and surface.texture is not None
    if textured:
        columns.append(np.asarray(surface.uv)[surface.mesh.faces])
    front = np.concatenate(columns, axis=2)
    back = front[:, ::-1].copy()
    back[..., 3:6] *= -1
    rows = np.ascontiguousarray(np.concatenate([front, back]).reshape(-1, front.shape[2]), np.float32)
    layout = core.GeomVertexFormat.getV3n3t2() if textured else core.GeomVertexFormat.getV3n3()
    data = core.GeomVertexData("corners", layout, core.Geom.UHStatic)
    data.uncleanSetNumRows(len(rows))
    memoryview(data.modifyArray(0)).cast("B")[:] = rows.tobytes()
    triangles = core.GeomTriangles(core.Geom.UHStatic)
    triangles.addConsecutiveVertices(0, len(rows))
    geometry = core.Geom(data)
    geometry.addPrimitive(triangles)
    node = core.GeomNode("surface")
    node.addGeom(geometry)
    place = root.attachNewNode(node)
    material = core.Material()
    color = (*surface.color, 1.0)
    material.setDiffuse(color)
    material.setAmbient(color)
    place.setMaterial(material)
    if textured:
        place.setTexture(_texture(np.asarray(surface.texture)))


def _texture(image: np.ndarray) -> Any:
    core = _panda3d()
    texture = core.Texture("texture")
    # The rasteriser takes powers of two only.
    square = Image.fromarray(image).resize((_TEXTURE, _TEXTURE), Image.Resampling.BOX)
    texture.setup2dTexture(_TEXTURE, _TEXTURE, core.Texture.TUnsignedByte, core.Texture.FRgb)
    texture.setRamImageAs(np.ascontiguousarray(np.asarray(square)[::-1]).tobytes(), "RGB")
    texture.setWrapU(core.Texture.WMRepeat)
    texture.setWrapV(core.Texture.WMRepeat)
    return texture


@functools.cache
def _panda3d() -> Any:
    try:
        from panda3d import core
    except ModuleNotFoundError as error:
        raise InputError(
            "Rendering needs Panda3D, which is not installed; type pip install '.[pictures]' in the checkout."
        ) from error
    core.loadPrcFileData("", "load-display p3tinydisplay\naudio-library-name null\nnotify-level error")
    return core
