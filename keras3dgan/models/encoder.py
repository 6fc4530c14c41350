"""The encoder of the compressor."""

from typing import Any

import keras
from keras import layers

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class Encoder(blocks.Network):
    """Voxels to latent vectors: "a transpose of the Generator" (the report, section 3.3.1).

    n^3 -> convolutions, kernel 4, stride 2, batch normalisation, leaky ReLU -> 2x2x2 x width -> dense `latent_size`, linear,
    since latents of both signs must be reachable.

    Input: float (batch, n, n, n, 1) in [0, 1]. Output: latents (batch, latent_size).

    Args:
        resolution: n, a power of two, at least 8.
        latent_size: length of the latent vector.
        width: channels of the 2x2x2 block. The report has 256.
        init_stddev: standard deviation of the initial weights; 0 for He's initialisation.

    Example:
        >>> encoder = Encoder(resolution=16, latent_size=8, width=8)
        >>> tuple(encoder(np.zeros((2, 16, 16, 16, 1))).shape)
        (2, 8)
    """

    def __init__(
        self, resolution: int = 32, latent_size: int = 200, width: int = 256, init_stddev: float = 0.01, **kwargs: Any
    ):
        voxels = keras.Input((resolution,) * 3 + (1,), name="voxels")
        features = blocks.downsampling_stack(voxels, resolution, width, init_stddev)
        latents = layers.Dense(
            latent_size, kernel_initializer=blocks.normal(init_stddev), dtype="float32", name="latents"
        )(features)
        kwargs.setdefault("name", "encoder")
        arguments = {"resolution": resolution, "latent_size": latent_size, "width": width, "init_stddev": init_stddev}
        super().__init__(voxels, latents, arguments, **kwargs)
