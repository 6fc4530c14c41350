"""The decoder that starts as a linear reconstruction and learns what is left."""

from typing import Any

import keras
from keras import layers

from keras3dgan.models import block_convolutions as on_blocks
from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class ResidualDecoder(blocks.VoxelNetwork):
    """Latent vectors to voxel logits: the mirror image of `ResidualEncoder`.

    Logits of a linear reconstruction plus those of residual convolutions, whose last layer starts at zero.

    Input: latents (batch, latent_size). Output: logits (batch, n, n, n, 1), float32.

    Args:
        resolution, latent_size, width, residual_blocks, patch_channels: as for `ResidualEncoder`.

    Example:
        >>> decoder = ResidualDecoder(resolution=16, latent_size=8, width=8)
        >>> tuple(decoder(np.zeros((2, 8))).shape)
        (2, 16, 16, 16, 1)
    """

    # Not the linear logits: the residual path sees those too.
    LAST = "learnt"

    def __init__(
        self,
        resolution: int = 32,
        latent_size: int = 200,
        width: int = 128,
        residual_blocks: int = 1,
        patch_channels: int = 12,
        **kwargs: Any,
    ):
        latents = keras.Input((latent_size,), name="latents")
        n, coarse = resolution // 4, resolution // 8
        x = layers.Dense(n**3 * patch_channels, dtype="float32", name="linear")(latents)
        patches = layers.Reshape((n, n, n, patch_channels), name="patches")(x)
        linear = on_blocks.Conv3DTranspose(1, 4, strides=4, dtype="float32", name="linear_logits")(patches)
        x = layers.Dense(coarse**3 * (width // 4), name="dense")(latents)
        x = layers.Reshape((coarse, coarse, coarse, width // 4), name="block")(x)
        x = layers.Conv3D(width, 1, name="first")(x)
        x = blocks.residual_stage(x, residual_blocks, "coarse")
        x = layers.Conv3DTranspose(width // 2, 2, strides=2, name="up1")(x)
        x = layers.Add(name="with_patches")([x, layers.Conv3D(width // 2, 1, name="patch_features")(patches)])
        x = blocks.residual_stage(x, 2 * residual_blocks, "middle")
        x = layers.Conv3DTranspose(width // 4, 2, strides=2, name="up2")(x)
        x = layers.Add(name="with_linear")(
            [x, on_blocks.Conv3D(width // 4, 4, strides=2, padding="same", name="linear_features")(linear)]
        )
        x = blocks.residual_stage(x, residual_blocks, "fine")
        x = layers.ReLU(name="last_act")(x)
        learnt = on_blocks.Conv3DTranspose(
            1, 4, strides=2, padding="same", kernel_initializer="zeros", dtype="float32", name="learnt"
        )(x)
        kwargs.setdefault("name", "decoder")
        sizes = {"resolution": resolution, "latent_size": latent_size, "width": width}
        arguments = {**sizes, "residual_blocks": residual_blocks, "patch_channels": patch_channels}
        super().__init__(latents, layers.Add(dtype="float32", name="logits")([linear, learnt]), arguments, **kwargs)
