"""The report's compressor: the GAN's generator as decoder, and a perceptual loss."""

from typing import Any

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.models.voxel_autoencoder import VoxelAutoencoder
from keras3dgan.models.voxnet import VoxNet


@keras.saving.register_keras_serializable(package="keras3dgan")
class GenerativeCompressor(VoxelAutoencoder):
    """Autoencoder with lambda1 ||x - x^||_2 + lambda2 ||conv2(x) - conv2(x^)||_2 as its loss (the report, section 3.3.2).

    conv2 is the second convolution of a trained VoxNet, which is frozen here; of a deeper one, its last block. Whether the
    decoder starts as the GAN's generator is the caller's choice of `decoder`; whether it moves is `train_decoder`. A frozen
    decoder also keeps its batch statistics.

    Args:
        encoder: voxels to latents.
        decoder: latents to logits.
        voxnet: a trained `VoxNet` of the same resolution; None for a model that is trained no further, as from a preset.
        lambda1: weight of the grid-level term.
        lambda2: weight of the perceptual term. The report gives no values.
        train_decoder: False keeps the decoder as it is.

    Example:
        >>> sizes = {"resolution": 16, "latent_size": 8, "width": 8}
        >>> model = GenerativeCompressor(Encoder(**sizes), Generator(**sizes), VoxNet(5, resolution=16))
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((4, 16, 16, 16, 1)), verbose=0)
    """

    PARTS = ("encoder", "decoder", "voxnet")
    KIND = "compressor"

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        voxnet: VoxNet | None = None,
        lambda1: float = 1.0,
        lambda2: float = 1.0,
        train_decoder: bool = True,
        **kwargs: Any,
    ):
        kwargs.setdefault("name", "generative_compressor")
        super().__init__(encoder, decoder, **kwargs)
        self.voxnet = voxnet
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.train_decoder = train_decoder
        decoder.trainable = train_decoder
        if voxnet is not None:
            voxnet.trainable = False
            self.perceptual_features = voxnet.perceptual_features()
        self.grid_term = keras.metrics.Mean(name="grid_loss")
        self.perceptual_term = keras.metrics.Mean(name="perceptual_loss")

    def reconstruction_loss(self, voxels: Any, logits: Any) -> Any:
        if self.voxnet is None:
            raise ValueError("the perceptual loss needs a VoxNet; give one to the constructor, as VoxNet.from_preset's")
        grid = super().reconstruction_loss(voxels, logits)
        features = (self.perceptual_features(x, training=False) for x in (voxels, ops.sigmoid(logits)))
        perceptual = losses.mean_l2_distance(*features)
        self.grid_term.update_state(grid)
        self.perceptual_term.update_state(perceptual)
        return self.lambda1 * grid + self.lambda2 * perceptual

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "voxnet": self.voxnet and keras.saving.serialize_keras_object(self.voxnet),
            "lambda1": self.lambda1,
            "lambda2": self.lambda2,
            "train_decoder": self.train_decoder,
        }
