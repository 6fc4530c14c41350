"""The 3D-GAN with a relativistic loss and zero-centred penalties."""

from typing import Any

import keras
from keras import ops

from keras3dgan import losses
from keras3dgan.augmentation import parse_diff
from keras3dgan.backend import input_gradients
from keras3dgan.models.adversarial.adversarial_model import AdversarialModel

# Shifts are by at most a sixteenth of the grid along each axis, cut-outs are boxes of half its edge.
_SHIFT, _CUT = 16, 2


@keras.saving.register_keras_serializable(package="keras3dgan")
class VoxelR3GAN(AdversarialModel):
    """R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN!"): relativistic pairing loss, R1 and R2.

    The discriminator says how much more real a real shape looks than a generated one. Penalties on its gradient at real and
    at generated shapes make that converge. What it is shown of either kind is augmented alike, by operations that gradients
    pass through (DiffAugment, Zhao et al. 2020), so that it can't learn a few hundred shapes by heart:

    - `mirror`: half of the shapes, in x,
    - `shift`: whole batches, by up to a sixteenth of the grid,
    - `cutout`: half of the shapes lose what lies in a box of half the edge.

    Args:
        generator, discriminator, latent_stddev, average, seed: as for `AdversarialModel`. The discriminator must have no
            batch normalisation, since the penalties are on each shape alone.
        penalty_weight: gamma of both penalties.
        diff_augment: names of augmentations, by comma; or none.

    Raises:
        ValueError: the discriminator normalises over the batch, or an augmentation is unknown.

    Example:
        >>> networks = Generator(16, latent_size=8, width=8), Discriminator(16, width=8, normalization="none")
        >>> gan = VoxelR3GAN(*networks, diff_augment="mirror,shift")
        >>> gan.compile(keras.optimizers.Adam(0.0005, 0), keras.optimizers.Adam(0.0005, 0))
        >>> history = gan.fit(np.zeros((4, 16, 16, 16, 1)), verbose=0)
    """

    METRICS = (*AdversarialModel.METRICS, "d_margin", "r1_penalty", "r2_penalty")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        latent_stddev: float = 0.33,
        penalty_weight: float = 1.0,
        diff_augment: str = "none",
        average: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        if any(isinstance(layer, keras.layers.BatchNormalization) for layer in discriminator.layers):
            raise ValueError("R3GAN needs a discriminator without batch normalisation.")
        parse_diff(diff_augment)
        kwargs.setdefault("name", "voxel_r3gan")
        super().__init__(generator, discriminator, latent_stddev, average, seed, **kwargs)
        self.penalty_weight = penalty_weight
        self.diff_augment = diff_augment

    def perturb(self, voxels: Any) -> Any:
        count, n = ops.shape(voxels)[0], voxels.shape[1]
        names = parse_diff(self.diff_augment)
        if "mirror" in names:
            mirrored = self.random_uniform(count, (1, 1, 1, 1), 0.0, 1.0) < 0.5
            voxels = ops.where(mirrored, ops.flip(voxels, 1), voxels)
        if "shift" in names:
            most = n // _SHIFT
            drawn = self.random_uniform(None, (3,), -most - 0.5, most + 0.5)
            voxels = ops.roll(voxels, ops.cast(ops.round(drawn), "int32"), axis=(1, 2, 3))
        if "cutout" in names:
            voxels = voxels * self._outside_boxes(count, n)
        return voxels

    def _outside_boxes(self, count: Any, n: int) -> Any:
        """Ones (batch, n, n, n, 1), in half of the shapes but for a box."""
        centres = self.random_uniform(count, (3,), 0.0, float(n))
        inside = ops.cast(self.random_uniform(count, (1, 1, 1, 1), 0.0, 1.0) < 0.5, "float32")
        places = ops.arange(n, dtype="float32") + 0.5
        for axis in range(3):
            near = ops.cast(ops.abs(places[None] - centres[:, axis : axis + 1]) < n / _CUT / 2, "float32")
            inside = inside * ops.reshape(near, (-1, *(n if a == axis else 1 for a in range(3)), 1))
        return 1.0 - inside

    def discriminator_loss(self, real: Any, fake: Any) -> tuple[Any, dict[str, Any]]:
        """Relativistic loss and both penalties."""
        real, fake = self.perturb(real), self.perturb(fake)
        real_scores = self.discriminator(real, training=True)
        fake_scores = self.discriminator(fake, training=True)
        r1, r2 = (
            losses.zero_centred_penalty(input_gradients(lambda x: self.discriminator(x, training=True), voxels))
            for voxels in (real, fake)
        )
        logs = {"d_margin": ops.mean(real_scores - fake_scores), "r1_penalty": r1, "r2_penalty": r2}
        return losses.relativistic_loss(real_scores, fake_scores) + self.penalty_weight / 2 * (r1 + r2), logs

    def generator_loss(self, fake: Any, real: Any) -> Any:
        scores = (self.discriminator(self.perturb(voxels), training=True) for voxels in (fake, real))
        return losses.relativistic_loss(*scores)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "penalty_weight": self.penalty_weight, "diff_augment": self.diff_augment}
