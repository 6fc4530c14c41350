"""The plain autoencoder: the compressor's networks without its ideas, as the baseline."""

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.backend import replicas
from keras3dgan.metrics.reconstruction import MeanIoU


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelAutoencoder(keras.Model):
    """Encoder and decoder trained together on the grid-level loss ||x - x^||_2 (the report, sections 3.3.2 and 4.2.2).

    Call: voxels (batch, n, n, n, 1) in [0, 1] -> occupancy of the same shape. Train with `fit` on voxels alone.

    Args:
        encoder: voxels to latents.
        decoder: latents to logits.
    """

    def __init__(self, encoder, decoder, **kwargs):
        kwargs.setdefault("name", "voxel_autoencoder")
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.iou = MeanIoU()
        self.built = True

    def call(self, voxels, training=None):
        return ops.sigmoid(self.decoder(self.encoder(voxels, training=training), training=training))

    def reconstruction_loss(self, voxels, occupancy):
        """What training minimises, a scalar."""
        return losses.mean_l2_distance(voxels, occupancy)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        del y, sample_weight, training  # the input is its own target
        self.iou.update_state(x, y_pred)
        # The replicas' gradients are added up, and Keras undoes this division where it reports the loss.
        return self.reconstruction_loss(x, y_pred) / replicas()

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()

    def get_config(self):
        return {
            "name": self.name,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        for part in ("encoder", "decoder", "voxnet"):
            if part in config:
                config[part] = keras.saving.deserialize_keras_object(config[part], custom_objects)
        return cls(**config)
