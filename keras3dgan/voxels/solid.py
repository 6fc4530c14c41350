"""The inside of a mesh: by winding number where it has one, by a vote of lines where it is damaged."""

import numpy as np

from keras3dgan.voxels import rasterize
from keras3dgan.voxels.frame import box
from keras3dgan.voxels.topology import Parts, parts

# A part is taken for closed with damage, and not for open, while of the lines that meet it along each axis at most this
# share leave it as often as they do not enter it.
_MAX_DAMAGE = 0.4


def inside(triangles: np.ndarray, resolution: int) -> np.ndarray:
    """Voxels whose centre lies inside the mesh.

    Closed parts are exact: the winding number of the centre, counted along a line (Jacobson et al. 2013 for what it means;
    a face turned the wrong way round is turned back first). Overlapping parts unite; a part that lies wholly inside others
    and looks inwards is a cavity. Parts with holes are decided by those lines along x, y and z that enter them as often
    as they leave them. What is left, sheets above all, is filled where all three axes have surface before and behind.

    Args:
        triangles: float64 (m, 3, 3) in voxels.
        resolution: n of the n^3 grid.

    Returns:
        bool (n, n, n).
    """
    mesh = parts(triangles, resolution)
    winding = _united(mesh, resolution)
    solid = winding != 0
    if not mesh.closed.all():
        solid |= _damaged(mesh, resolution)
    return solid


def _united(mesh: Parts, resolution: int) -> np.ndarray:
    """The winding number about each centre, int16 (n, n, n), of the closed parts, turned to look outwards."""
    sign = 1 if mesh.volume[mesh.closed].sum() >= 0 else -1
    inwards = mesh.closed & (sign * mesh.volume < 0)
    winding = np.zeros((resolution,) * 3, np.int16)
    _add(winding, mesh.of(mesh.closed & ~inwards), sign)
    around = winding.copy()
    for part in np.flatnonzero(inwards & mesh.hold_centres()).tolist():
        low, own = _winding(mesh.part(part), resolution)
        box = tuple(slice(a, a + n) for a, n in zip(low, own.shape, strict=True))
        cavity = (around[box][own != 0] > 0).all()
        winding[box] += sign * own if cavity else -sign * own
    return winding


def _add(winding: np.ndarray, triangles: np.ndarray, sign: int) -> None:
    if len(triangles):
        low, own = _winding(triangles, len(winding))
        winding[tuple(slice(a, a + n) for a, n in zip(low, own.shape, strict=True))] += np.int16(sign) * own


def _winding(triangles: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest voxel of the triangles' box, and the winding numbers in the box, int16."""
    low, shape = _box(triangles, resolution)
    winding, _, _ = _along(triangles, low, shape, 2)
    return low, winding


def _box(triangles: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    least, greatest = box(triangles)
    low = np.clip(np.floor(least).astype(np.int64), 0, resolution - 1)
    high = np.clip(np.ceil(greatest).astype(np.int64), 1, resolution)
    return low, np.maximum(high - low, 1)


def _along(
    triangles: np.ndarray, low: np.ndarray, shape: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Winding numbers counted along one axis, which lines do not come out even, and which lines meet a triangle."""
    order = np.array([(axis + 1) % 3, (axis + 2) % 3, axis])
    winding = np.zeros(shape[order], np.int16)
    total, hits = np.zeros(shape[order[:2]], np.int32), np.zeros(shape[order[:2]], np.int32)
    rasterize.crossings(np.ascontiguousarray(triangles[:, :, order]), low[order], winding, total, hits)
    np.cumsum(winding, axis=2, out=winding)
    back = np.argsort(order)
    uneven = np.broadcast_to((total != 0)[:, :, None], winding.shape)
    return winding.transpose(back), uneven.transpose(back), hits > 0


def _damaged(mesh: Parts, resolution: int) -> np.ndarray:
    """The inside of parts that do not close: each by itself, then what is left of them together."""
    solid = np.zeros((resolution,) * 3, bool)
    left = ~mesh.closed
    for part in np.flatnonzero(left & mesh.hold_centres()).tolist():
        left[part] = not _vote(mesh.part(part), resolution, solid)
    rest = mesh.of(left)
    if len(rest) and (left.sum() == 1 or not _vote(rest, resolution, solid)):
        shell = np.zeros_like(solid)
        rasterize.mark_entered(rest, shell)
        solid |= between(shell)
    return solid


def _vote(triangles: np.ndarray, resolution: int, solid: np.ndarray) -> bool:
    """Marks what more even lines find inside than outside; False, and nothing marked, where too few lines are even."""
    low, shape = _box(triangles, resolution)
    votes = np.zeros(shape, np.int8)
    for axis in range(3):
        winding, uneven, met = _along(triangles, low, shape, axis)
        across = uneven.any(axis=axis)
        if across.sum() > _MAX_DAMAGE * max(int(met.sum()), 1):
            return False
        votes += np.where(uneven, 0, np.where(winding != 0, 1, -1)).astype(np.int8)
    solid[tuple(slice(a, a + n) for a, n in zip(low, shape, strict=True))] |= votes > 0
    return True


def between(shell: np.ndarray) -> np.ndarray:
    """Voxels with surface on both sides along every axis (Nooruddin and Turk 2003)."""
    between = np.ones_like(shell)
    for axis in range(3):
        behind = np.logical_or.accumulate(shell, axis=axis)
        before = np.flip(np.logical_or.accumulate(np.flip(shell, axis), axis=axis), axis)
        between &= behind & before
    return between
