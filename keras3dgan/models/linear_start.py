"""Networks with a linear path that start as principal component analysis of the training shapes."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from keras3dgan.models.residual_decoder import ResidualDecoder
from keras3dgan.models.residual_encoder import ResidualEncoder
from keras3dgan.voxels.shape_set import ShapeSet

# Dense floats of 5,000 grids of 32^3 take 650 MB.
_MAX_SHAPES = 5000
# Logits of a voxel that the linear reconstruction calls occupied with certainty, and minus those of an empty one.
_CERTAIN = 4.0


def start_as_pca(encoder: ResidualEncoder, decoder: ResidualDecoder, shapes: ShapeSet, seed: int = 0) -> None:
    """Gives the linear paths of both networks the weights of PCA, so that training starts at its quality.

    PCA is done twice, so that weights are few: on patches of 4^3 voxels, and on what it makes of whole shapes.

    Args:
        encoder: to fill.
        decoder: to fill, of the same sizes.
        shapes: training shapes; of more than 5,000, that many drawn at random.
        seed: of that draw and of the randomised solver.

    Raises:
        ValueError: fewer shapes than latents.
    """
    if len(shapes) < encoder.latent_size:
        raise ValueError(f"{len(shapes)} shapes have no {encoder.latent_size} principal components")
    rows = np.sort(np.random.default_rng(seed).permutation(len(shapes))[:_MAX_SHAPES])
    n, channels = shapes.resolution // 4, encoder.patch_channels
    patches = shapes.grids(rows).reshape(-1, n, 4, n, 4, n, 4).transpose(0, 1, 3, 5, 2, 4, 6).reshape(-1, 64)
    patches = patches.astype(np.float32)
    # Without a mean: an empty patch stays zero.
    _, vectors = np.linalg.eigh(patches.T @ patches)
    basis = vectors[:, ::-1][:, :channels]
    coded = (patches @ basis).reshape(len(rows), -1)
    pca = PCA(encoder.latent_size, svd_solver="randomized", random_state=seed).fit(coded)
    components = pca.components_.astype(np.float32)
    kernel = basis.reshape(4, 4, 4, 1, channels)
    encoder.get_layer("patches").set_weights([kernel])
    encoder.get_layer("linear").set_weights([components.T, -components @ pca.mean_])
    decoder.get_layer("linear").set_weights([components, pca.mean_])
    # Occupancy 0 and 1 become logits of -4 and 4.
    scaled = 2 * _CERTAIN * kernel
    decoder.get_layer("linear_logits").set_weights([scaled, np.array([-_CERTAIN], np.float32)])
