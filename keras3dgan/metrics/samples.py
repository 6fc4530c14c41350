"""Whether a generator has collapsed: cheap measures on one batch of its samples."""

from typing import Any

from keras import ops


def occupied_fraction(occupancy: Any, threshold: float = 0.5) -> Any:
    """Share of occupied voxels in a batch, a scalar in [0, 1]: 0 or near 1 means an empty or a full cube.

    Args:
        occupancy: (batch, n, n, n, 1) in [0, 1].
        threshold: above it a voxel is occupied.
    """
    return ops.mean(ops.cast(occupancy > threshold, "float32"))


def diversity(occupancy: Any, threshold: float = 0.5) -> Any:
    """Mean of 1 - IoU over all pairs of a batch, a scalar in [0, 1]: 0 where all samples are the same shape.

    Args:
        occupancy: (batch, n, n, n, 1) in [0, 1], two shapes or more. Two empty shapes count as the same.
        threshold: above it a voxel is occupied.
    """
    count = ops.shape(occupancy)[0]
    flat = ops.cast(ops.reshape(occupancy, (count, -1)) > threshold, "float32")
    intersection = ops.matmul(flat, ops.transpose(flat))
    volume = ops.sum(flat, axis=1)
    union = volume[:, None] + volume[None, :] - intersection
    distance = ops.where(union > 0, 1.0 - intersection / ops.maximum(union, 1.0), 0.0)
    pairs = ops.cast(count * (count - 1), "float32")
    return ops.sum(distance) / ops.maximum(pairs, 1.0)
