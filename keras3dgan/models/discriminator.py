"""The discriminator of the 3D-GAN."""

from typing import Any

import keras
from keras import layers

from keras3dgan.models import blocks


@keras.saving.register_keras_serializable(package="keras3dgan")
class Discriminator(blocks.Network):
    """Voxels to one logit, real above 0 (the report, section 3.2.2).

    It "basically mirrors the generator, except that it has fully-connected layer at the end with sigmoid activation": n^3 ->
    convolutions, kernel 4, stride 2, batch normalisation, leaky ReLU -> 2x2x2 x width -> dense 1. The sigmoid is left
    to the loss. The slope 0.2 is Wu et al.'s; the report gives none.

    Input: float (batch, n, n, n, 1) in [0, 1]. Output: logits (batch, 1).

    Args:
        resolution: n, a power of two, at least 8.
        width: channels of the 2x2x2 block. The report has 256.
        init_stddev: standard deviation of the initial weights; 0 for He's initialisation.
        normalization: `batch`, as in the report; `inner`, batch normalisation in all layers but the first, which lets the
            discriminator see how much of the volume is occupied; or `none`, as WGAN-GP needs it.

    Example:
        >>> discriminator = Discriminator(resolution=16, width=8)
        >>> tuple(discriminator(np.zeros((2, 16, 16, 16, 1))).shape)
        (2, 1)
    """

    def __init__(
        self,
        resolution: int = 32,
        width: int = 256,
        init_stddev: float = 0.01,
        normalization: str = "batch",
        **kwargs: Any,
    ):
        voxels = keras.Input((resolution,) * 3 + (1,), name="voxels")
        features = blocks.downsampling_stack(voxels, resolution, width, init_stddev, normalization)
        logits = layers.Dense(1, kernel_initializer=blocks.normal(init_stddev), dtype="float32", name="logits")(
            features
        )
        kwargs.setdefault("name", "discriminator")
        arguments = {
            "resolution": resolution,
            "width": width,
            "init_stddev": init_stddev,
            "normalization": normalization,
        }
        super().__init__(voxels, logits, arguments, **kwargs)

    def features(self) -> keras.Model:
        """A model that shares these weights and gives the features of Wu et al. 2016, section 4.2.

        The activations of the last three convolutions, each max-pooled to 2x2x2, flattened and concatenated: with the
        report's width (batch, 8 * (64 + 128 + 256)).
        """
        last = blocks.stages(self.resolution)
        pooled = []
        for stage in range(max(1, last - 2), last + 1):
            x = self.get_layer(f"act{stage}").output
            x = layers.MaxPooling3D(x.shape[1] // 2, name=f"pool{stage}")(x) if x.shape[1] > 2 else x
            pooled.append(layers.Flatten(name=f"features{stage}")(x))
        return keras.Model(self.input, layers.Concatenate(name="features")(pooled), name="features")
