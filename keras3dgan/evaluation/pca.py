"""Principal component analysis as a codec: the linear baseline of the same latent size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA

from keras3dgan.codec.latent.fitting import FACTORS, fit_coders
from keras3dgan.codec.latent.latent_codec import LatentCodec
from keras3dgan.voxels.shape_set import ShapeSet

# Dense floats of 5,000 grids of 32^3 take 650 MB.
_MAX_SHAPES = 5000


class PCACodec(LatentCodec):
    """The first principal components of a training set; coefficients are coded as the neural codec codes its latents.

    Args:
        train: shapes to analyse; of more than 5,000, that many drawn at random.
        validation: shapes that tell how coarse quantisation may be.
        components: number of coefficients; fewer where there are fewer shapes.
        seed: of the draw and of the randomised solver.
        step: quantisation step; 0 as in `fit_coders`.
        factors: as in `fit_coders`.

    Example:
        >>> from keras3dgan import data
        >>> train, validation = (data.load("furniture_voxels", split) for split in ("train", "validation"))
        >>> codec = PCACodec(train, validation, components=20)
        >>> codec.decode(codec.encode(validation.grids(slice(2)))).shape
        (2, 32, 32, 32)
    """

    def __init__(
        self,
        train: ShapeSet,
        validation: ShapeSet,
        components: int = 200,
        seed: int = 0,
        step: float = 0.0,
        factors: Sequence[float] = FACTORS,
    ):
        components = min(components, len(train))
        self.pca = PCA(components, svd_solver="randomized", random_state=seed)
        rows = np.random.default_rng(seed).permutation(len(train))[:_MAX_SHAPES]
        self.pca.fit(train.grids(np.sort(rows)).reshape(len(rows), -1).astype(np.float32))
        self._shape = (-1, *(train.resolution,) * 3)
        name = self.pca.components_.tobytes()
        self.coders = fit_coders(self.analyse, self.synthesise, train, validation, name, step, factors)

    def analyse(self, grids: np.ndarray) -> np.ndarray:
        return self.pca.transform(grids.reshape(len(grids), -1).astype(np.float32))

    def synthesise(self, latents: np.ndarray) -> np.ndarray:
        return self.pca.inverse_transform(latents).clip(0, 1).reshape(self._shape)
