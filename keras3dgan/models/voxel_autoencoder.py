"""The plain autoencoder: the compressor's networks without its ideas, as the baseline."""

import math
from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.backend import replicas
from keras3dgan.metrics.reconstruction import MeanIoU
from keras3dgan.models.latent_prior import LatentPrior
from keras3dgan.models.noise import Noise
from keras3dgan.models.pretrained import Pretrained


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelAutoencoder(Noise, Pretrained, keras.Model):
    """Encoder and decoder trained together on the grid-level loss ||x - x^||_2 (the report, sections 3.3.2 and 4.2.2).

    Call: voxels (batch, n, n, n, 1) in [0, 1] -> logits of the same shape. Train with `fit` on voxels alone.

    With `lambda_rate` the loss is distortion + lambda_rate * bits: training imitates quantisation by uniform noise, of steps
    drawn anew for every shape, so that one model serves many rates, and a learned entropy model counts the bits (Balle et al.
    2017).

    Args:
        encoder: voxels to latents.
        decoder: latents to logits.
        lambda_rate: what a bit costs beside the distortion; 0 is the report's model, without noise.
        noise_steps: least and greatest quantisation step that training imitates.
        distortion: `norm`, the report's grid-level loss; or `cross_entropy_dice`.
        seed: of the noise. Its state is a variable of the model, so a checkpoint holds it.

    Example:
        >>> sizes = {"resolution": 16, "latent_size": 8, "width": 8}
        >>> model = VoxelAutoencoder(Encoder(**sizes), Generator(**sizes))
        >>> model.compile("adam")
        >>> history = model.fit(np.zeros((4, 16, 16, 16, 1)), verbose=0)
    """

    PARTS: tuple[str, ...] = ("encoder", "decoder")
    KIND = "autoencoder"

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        lambda_rate: float = 0.0,
        noise_steps: Sequence[float] = (0.1, 0.8),
        distortion: str = "norm",
        seed: int = 0,
        **kwargs: Any,
    ):
        kwargs.setdefault("name", "voxel_autoencoder")
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.lambda_rate = lambda_rate
        self.noise_steps = tuple(noise_steps)
        self.distortion = distortion
        self.seed = seed
        self.iou = MeanIoU()
        self.prior: LatentPrior | None = None
        if lambda_rate:
            self.prior = LatentPrior(encoder.latent_size)
            self.random = keras.random.SeedGenerator(seed, name="random")
            self.rate_term = keras.metrics.Mean(name="bits")
        self.built = True

    def call(self, voxels: Any, training: bool | None = None) -> Any:
        """Logits; with `lambda_rate`, in training, a pair of logits and bits (batch,)."""
        latents = self.encoder(voxels, training=training)
        if not (training and self.prior):
            return self.decoder(latents, training=training)
        count = ops.shape(latents)[0]
        step = ops.exp(self.random_uniform(count, (1,), *map(math.log, self.noise_steps)))
        latents = latents + step * self.random_uniform(count, (self.encoder.latent_size,), -0.5, 0.5)
        return self.decoder(latents, training=training), self.prior(latents, step)

    def reconstruction_loss(self, voxels: Any, logits: Any) -> Any:
        """The distortion that training minimises, a scalar."""
        if self.distortion == "norm":
            return losses.mean_l2_distance(voxels, ops.sigmoid(logits))
        return losses.cross_entropy_and_dice(logits, voxels)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        del y, sample_weight  # the input is its own target
        rate = 0.0
        if self.prior:
            y_pred, bits = y_pred if training else (y_pred, self._bits(x))
            rate = ops.mean(bits)
            self.rate_term.update_state(rate)
        self.iou.update_state(x, ops.sigmoid(y_pred))
        # The replicas' gradients are added up, and Keras undoes this division where it reports the loss.
        return (self.reconstruction_loss(x, y_pred) + self.lambda_rate * rate) / replicas()

    def _bits(self, voxels: Any) -> Any:
        """What shapes take at the middle one of the steps, without noise."""
        assert self.prior is not None
        step = math.sqrt(math.prod(self.noise_steps))
        latents = self.encoder(voxels, training=False)
        return self.prior(latents, ops.full((ops.shape(latents)[0], 1), step))

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        return self.get_metrics_result()

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "lambda_rate": self.lambda_rate,
            "noise_steps": self.noise_steps,
            "distortion": self.distortion,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in cls.PARTS
            if config.get(name)
        }
        return cls(**{**config, **parts})
