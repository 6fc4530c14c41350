"""Principal component analysis as a codec: the linear baseline of the same latent size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA

from keras3dgan.codec.container import FINGERPRINT_BYTES, CompressedShape
from keras3dgan.voxels.shape_set import ShapeSet

# Dense floats of 5,000 grids of 32^3 take 650 MB.
_MAX_SHAPES = 5000


class PCACodec:
    """The first principal components of a training set; coefficients are stored as the neural codec stores its latents.

    Args:
        train: shapes to analyse; of more than 5,000, that many drawn at random.
        components: number of coefficients; fewer where there are fewer shapes.
        seed: of the draw and of the randomised solver.
    """

    def __init__(self, train: ShapeSet, components: int = 200, seed: int = 0):
        self.resolution = train.resolution
        components = min(components, len(train))
        self.pca = PCA(components, svd_solver="randomized", random_state=seed)
        rows = np.random.default_rng(seed).permutation(len(train))[:_MAX_SHAPES]
        self.pca.fit(train.grids(np.sort(rows)).reshape(len(rows), -1).astype(np.float32))
        self.fingerprint = hashlib.sha256(self.pca.components_.tobytes()).digest()[:FINGERPRINT_BYTES]

    def encode(self, grids: np.ndarray) -> list[bytes]:
        """Streams of (count, n, n, n) grids."""
        coefficients = self.pca.transform(grids.reshape(len(grids), -1).astype(np.float32))
        return [CompressedShape(self.fingerprint, self.resolution, row).to_bytes() for row in coefficients]

    def decode(self, streams: Sequence[bytes]) -> np.ndarray:
        """Occupancy (count, n, n, n) clipped to [0, 1]."""
        coefficients = np.array([CompressedShape.from_bytes(content).latents for content in streams], np.float32)
        values = self.pca.inverse_transform(coefficients).clip(0, 1)
        return values.reshape(-1, *(self.resolution,) * 3)
