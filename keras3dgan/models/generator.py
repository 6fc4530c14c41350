"""The generator of the 3D-GAN, which is also the decoder of the compressor."""

from typing import Any

import keras

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class Generator(blocks.VoxelNetwork):
    """Latent vectors to voxel logits (the report, section 3.2.2 and figure 1).

    latent -> dense 8 width -> 2x2x2 x width -> transposed convolutions, kernel 4, stride 2 -> n^3 x 1. The text of the
    report leaves open what follows the dense layer and which activation lies between (its figures are not in the text):
    taken are batch normalisation and ReLU there as everywhere but at the end, as in Wu et al. 2016. "Sigmoid at the end"
    is applied by whoever needs occupancy, so that losses see logits: `occupancy = keras.ops.sigmoid(generator(z))`.

    Input: float (batch, latent_size), in the GAN drawn from N(0, 0.33^2). Output: logits (batch, n, n, n, 1).

    Args:
        resolution: n, a power of two, at least 8.
        latent_size: length of the latent vector.
        width: channels of the 2x2x2 block; halved at every stage. The report has 256.
        init_stddev: standard deviation of the initial weights; 0 for He's initialisation.
        init_occupied: occupancy, in (0, 1), that the bias of the last layer starts with. 0.5, a bias of 0, is the report's;
            the share of voxels that shapes do occupy saves a GAN from learning that first.

    Raises:
        ValueError: the resolution is no power of two.

    Example:
        >>> generator = Generator(resolution=16, latent_size=8, width=8)
        >>> tuple(generator(np.zeros((2, 8))).shape)
        (2, 16, 16, 16, 1)
    """

    ALSO = ("LatentGenerator",)

    def __init__(
        self,
        resolution: int = 32,
        latent_size: int = 200,
        width: int = 256,
        init_stddev: float = 0.01,
        init_occupied: float = 0.5,
        **kwargs: Any,
    ):
        latents = keras.Input((latent_size,), name="latents")
        logits = blocks.upsampling_stack(latents, resolution, width, init_stddev, init_occupied)
        kwargs.setdefault("name", "generator")
        arguments = {
            "resolution": resolution,
            "latent_size": latent_size,
            "width": width,
            "init_stddev": init_stddev,
            "init_occupied": init_occupied,
        }
        super().__init__(latents, logits, arguments, **kwargs)
