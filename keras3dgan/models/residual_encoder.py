"""The encoder that starts as a linear projection and learns what is left."""

from typing import Any

import keras
from keras import layers

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class ResidualEncoder(blocks.Network):
    """Voxels to latent vectors: a linear projection plus residual convolutions (He et al. 2016) that start at zero.

    The linear path gives each patch of 4^3 voxels `patch_channels` values and projects all of them on the latents; filled by
    `linear_start.start_as_pca` it is principal component analysis. The other path has stages of 16^3, 8^3 and 4^3 (at 32^3)
    with `width` / 4, `width` / 2 and `width` channels.

    Input: float (batch, n, n, n, 1) in [0, 1]. Output: latents (batch, latent_size).

    Args:
        resolution: n, a power of two, at least 16.
        latent_size: length of the latent vector.
        width: channels of the coarsest stage, a multiple of 4.
        residual_blocks: residual blocks of the coarsest and of the finest stage; the middle one has twice as many.
        patch_channels: values a patch of 4^3 voxels.

    Example:
        >>> encoder = ResidualEncoder(resolution=16, latent_size=8, width=8)
        >>> tuple(encoder(np.zeros((2, 16, 16, 16, 1))).shape)
        (2, 8)
    """

    def __init__(
        self,
        resolution: int = 32,
        latent_size: int = 200,
        width: int = 128,
        residual_blocks: int = 1,
        patch_channels: int = 12,
        **kwargs: Any,
    ):
        voxels = keras.Input((resolution,) * 3 + (1,), name="voxels")
        patches = layers.Conv3D(patch_channels, 4, strides=4, use_bias=False, name="patches")(voxels)
        linear = layers.Dense(latent_size, dtype="float32", name="linear")(layers.Flatten(name="flat_patches")(patches))
        x = layers.Conv3D(width // 4, 4, strides=2, padding="same", activation="relu", name="stem")(voxels)
        x = blocks.residual_stage(x, residual_blocks, "fine")
        x = layers.Conv3D(width // 2, 2, strides=2, name="down1")(x)
        x = layers.Add(name="with_patches")([x, layers.Conv3D(width // 2, 1, name="patch_features")(patches)])
        x = blocks.residual_stage(x, 2 * residual_blocks, "middle")
        x = layers.Conv3D(width, 2, strides=2, name="down2")(x)
        x = blocks.residual_stage(x, residual_blocks, "coarse")
        x = layers.Conv3D(width // 4, 1, name="last")(layers.ReLU(name="last_act")(x))
        x = layers.Flatten(name="flatten")(x)
        learnt = layers.Dense(latent_size, kernel_initializer="zeros", dtype="float32", name="learnt")(x)
        kwargs.setdefault("name", "encoder")
        sizes = {"resolution": resolution, "latent_size": latent_size, "width": width}
        arguments = {**sizes, "residual_blocks": residual_blocks, "patch_channels": patch_channels}
        super().__init__(voxels, layers.Add(dtype="float32", name="latents")([linear, learnt]), arguments, **kwargs)
