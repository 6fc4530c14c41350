"""Readers of the mesh formats of games and of KiCad that neither trimesh nor `keras3dgan.voxels` reads, one file a format.

Each `read(content, name)` takes the whole file and returns a `Surface` in the file's own axes, or raises `InputError` where
the file is cut off, damaged or of a version that is not read. Materials, normals, textures, bones and all poses but the
first are skipped.
"""

from collections.abc import Callable

from keras3dgan.datasets.open_shapes_voxels.readers import ac3d, g3d, md3, pie, pmd, spm, vrml
from keras3dgan.voxels.readers import Surface

READERS: dict[str, Callable[[bytes, str], Surface]] = {
    ".ac": ac3d.read,
    ".acc": ac3d.read,
    ".g3d": g3d.read,
    ".md3": md3.read,
    ".pie": pie.read,
    ".pmd": pmd.read,
    ".spm": spm.read,
    ".wrl": vrml.read,
}
