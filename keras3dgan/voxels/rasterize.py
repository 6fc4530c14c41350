"""Triangles into voxels, exactly: which voxels they enter, and how often a straight line crosses them. Compiled by numba.

All coordinates are in voxels: voxel `i` reaches from `i` to `i + 1`.
"""

import numpy as np

from keras3dgan.compiled import compiled

# Lines run beside the voxels' centres, by less than any file's precision: they meet no corner of a regular mesh.
_BESIDE = (1.9e-6, 3.1e-6)
# A surface that reaches less deep into a voxel only touches it: rounding does that to faces drawn on a border. In voxels.
_TOUCH = 0.02


@compiled
def mark_entered(triangles: np.ndarray, grid: np.ndarray) -> None:  # pragma: no cover: compiled
    """Marks every voxel whose inside a triangle enters (separating axes; Akenine-Möller 2001); touching is not entering.

    Args:
        triangles: float64 (m, 3, 3), inside the grid.
        grid: bool (n, n, n), changed in place.
    """
    low, high, voxel = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)
    for t in range(len(triangles)):
        corners = triangles[t].copy()
        a, b, c = corners[0], corners[1], corners[2]
        for d in range(3):
            if a[d] == b[d] == c[d] == np.round(a[d]):
                # It lies on a border: it belongs to the voxel that is nearer to the middle of the grid.
                a[d] = b[d] = c[d] = a[d] + (0.5 if 2 * a[d] <= grid.shape[d] else -0.5)
            low[d] = max(0, int(np.floor(min(a[d], b[d], c[d]) + _TOUCH)))
            high[d] = min(grid.shape[d] - 1, int(np.ceil(max(a[d], b[d], c[d]) - _TOUCH)) - 1)
            if low[d] > high[d]:  # all of it within touch of a border
                low[d] = high[d] = min(int((a[d] + b[d] + c[d]) / 3), grid.shape[d] - 1)
                a[d] = b[d] = c[d] = low[d] + 0.5
        if low[0] == high[0] and low[1] == high[1] and low[2] == high[2]:
            grid[low[0], low[1], low[2]] = True
            continue
        normal = np.cross(b - a, c - a)
        depth = np.argmax(np.abs(normal))
        u, v = (depth + 1) % 3, (depth + 2) % 3
        if normal[depth] == 0:
            continue
        reach = 0.5 * (abs(normal[0]) + abs(normal[1]) + abs(normal[2])) / abs(normal[depth])
        offset = normal[0] * a[0] + normal[1] * a[1] + normal[2] * a[2]
        for i in range(low[u], high[u] + 1):
            for j in range(low[v], high[v] + 1):
                # The plane of the triangle passes the column between these heights of the voxels' centres.
                middle = (offset - normal[u] * (i + 0.5) - normal[v] * (j + 0.5)) / normal[depth] - 0.5
                first = max(low[depth], int(np.ceil(middle - reach + _TOUCH)))
                last = min(high[depth], int(np.floor(middle + reach - _TOUCH)))
                for k in range(first, last + 1):
                    voxel[u], voxel[v], voxel[depth] = i, j, k
                    if not grid[voxel[0], voxel[1], voxel[2]] and _edges_meet(a, b, c, voxel):
                        grid[voxel[0], voxel[1], voxel[2]] = True


@compiled
def _edges_meet(a: np.ndarray, b: np.ndarray, c: np.ndarray, voxel: np.ndarray) -> bool:  # pragma: no cover: compiled
    """Whether none of the nine axes between an edge and a side of the voxel separates the two."""
    corners = np.empty((3, 3))
    for d in range(3):
        middle = voxel[d] + 0.5
        corners[0, d], corners[1, d], corners[2, d] = a[d] - middle, b[d] - middle, c[d] - middle
    for e in range(3):
        p, q, r = corners[e], corners[(e + 1) % 3], corners[(e + 2) % 3]
        for d in range(3):
            u, v = (d + 1) % 3, (d + 2) % 3
            eu, ev = q[u] - p[u], q[v] - p[v]
            if eu == 0 and ev == 0:
                continue  # no axis: the edge runs along this side
            reach = (0.5 - _TOUCH) * (abs(eu) + abs(ev))
            along = ev * p[u] - eu * p[v]  # the same for q
            other = ev * r[u] - eu * r[v]
            if min(along, other) >= reach or max(along, other) <= -reach:
                return False
    return True


@compiled
def _left(a: np.ndarray, b: np.ndarray, x: float, y: float) -> bool:  # pragma: no cover: compiled
    """Whether (x, y) lies left of the line from `a` to `b`; always the opposite of `_left(b, a, x, y)`."""
    if a[0] < b[0] or (a[0] == b[0] and a[1] < b[1]):
        return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return (a[0] - b[0]) * (y - b[1]) - (a[1] - b[1]) * (x - b[0]) < 0


@compiled
def crossings(
    triangles: np.ndarray, low: np.ndarray, winding: np.ndarray, total: np.ndarray, hits: np.ndarray
) -> None:  # pragma: no cover: compiled
    """Follows a line along z beside each column's centres and counts the triangles that it crosses, by their side.

    Args:
        triangles: float64 (m, 3, 3).
        low: int64 (3,), the voxel at index 0 of the three arrays.
        winding: int16 (nx, ny, nz), changed in place: the change of the winding number below each voxel's centre.
        total: int32 (nx, ny), changed in place: the sum along the whole line, 0 for a closed surface.
        hits: int32 (nx, ny), changed in place: how many triangles the line crosses.
    """
    nx, ny, nz = winding.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        left = max(0, int(np.ceil(min(a[0], b[0], c[0]) - 0.5 - _BESIDE[0])) - low[0])
        right = min(nx - 1, int(np.floor(max(a[0], b[0], c[0]) - 0.5 - _BESIDE[0])) - low[0])
        front = max(0, int(np.ceil(min(a[1], b[1], c[1]) - 0.5 - _BESIDE[1])) - low[1])
        back = min(ny - 1, int(np.floor(max(a[1], b[1], c[1]) - 0.5 - _BESIDE[1])) - low[1])
        if left > right or front > back:
            continue
        nz_area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        for i in range(left, right + 1):
            x = i + low[0] + 0.5 + _BESIDE[0]
            for j in range(front, back + 1):
                y = j + low[1] + 0.5 + _BESIDE[1]
                side = _left(a, b, x, y)
                if side != _left(b, c, x, y) or side != _left(c, a, x, y) or nz_area == 0:
                    continue
                # Seen from above counter-clockwise is a face that points up: the line leaves the solid there.
                sign = -1 if side else 1
                s = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / nz_area
                r = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / nz_area
                z = a[2] + s * (b[2] - a[2]) + r * (c[2] - a[2])
                k = max(0, int(np.floor(z - 0.5)) + 1 - low[2])
                if k < nz:
                    winding[i, j, k] += sign
                total[i, j] += sign
                hits[i, j] += 1
