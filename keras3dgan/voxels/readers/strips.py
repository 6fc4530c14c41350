"""Triangle strips and fans as triangles."""

import numpy as np


def strip(corners: np.ndarray) -> np.ndarray:
    """The triangles of one strip, int64 (k - 2, 3): every second one turned, so that all are wound the same way."""
    faces = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    faces[1::2] = faces[1::2, [1, 0, 2]]
    return faces


def fan(corners: np.ndarray) -> np.ndarray:
    """The triangles of one fan, int64 (k - 2, 3), all around its first corner."""
    return np.stack([np.broadcast_to(corners[0], len(corners) - 2), corners[1:-1], corners[2:]], axis=1)


def restarted(corners: np.ndarray) -> np.ndarray:
    """The triangles of strips one after the other, each ended by -1 (as in a `.ply` file's `tristrips`)."""
    parts = np.split(corners, np.flatnonzero(corners < 0))
    strips = [strip(part[part >= 0]) for part in parts if (part >= 0).sum() >= 3]
    return np.concatenate(strips) if strips else np.zeros((0, 3), np.int64)
