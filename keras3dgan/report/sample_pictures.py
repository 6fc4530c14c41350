"""Pictures of what a model makes while it trains."""

from __future__ import annotations

import io
import pathlib

import numpy as np
import trimesh
from PIL import Image

from keras3dgan.files import replacing
from keras3dgan.report import figures
from keras3dgan.training.options import Samples
from keras3dgan.voxels import mesh

# Shapes of a row that become a mesh; each takes some hundred kilobytes.
_MESHES = 4


def draw(samples: Samples, path: pathlib.Path) -> None:
    """Writes samples as a PNG, and into the run's TensorBoard events beside it where there are some."""
    drawn = figures.png(figures.shapes([*samples.rows.values()], [*samples.rows], threshold=samples.threshold))
    with replacing(path) as temporary:
        temporary.write_bytes(drawn)
    events = path.parent.parent / "events"
    if events.is_dir():
        _log(events, drawn, samples, int(path.stem.split("-")[1]))


def _log(events: pathlib.Path, png: bytes, samples: Samples, epoch: int) -> None:
    """The picture, and the first shapes of each row as a mesh for TensorBoard's mesh plugin."""
    import tensorflow as tf  # only where TensorBoard has made the folder
    from tensorboard.plugins.mesh import summary_v2

    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    with tf.summary.create_file_writer(str(events / "samples")).as_default(step=epoch):
        tf.summary.image("samples", picture[None])
        for title, grids in samples.rows.items():
            made = None if grids.ndim == 4 and grids.shape[-1] == 3 else in_a_line(grids[:_MESHES], samples.threshold)
            if made is not None and len(made.faces):
                summary_v2.mesh(title, made.vertices[None].astype(np.float32), made.faces[None].astype(np.int32))


def in_a_line(grids: np.ndarray, threshold: float) -> trimesh.Trimesh:
    """The surfaces of grids (count, n, n, n) beside each other along x, as one mesh with y up, as TensorBoard shows it."""
    meshes = [mesh.surface(grid, threshold).apply_translation((place, 0, 0)) for place, grid in enumerate(grids)]
    return trimesh.util.concatenate(
        [made for made in meshes if len(made.faces)] or [trimesh.Trimesh()]
    ).apply_transform(mesh.Y_UP_TO_Z_UP.T)
