"""The settings of the 3D-GAN's variants."""

from __future__ import annotations

import dataclasses

from keras3dgan import augmentation
from keras3dgan.training.adversarial_settings import AdversarialSettings, SmoothedSettings, VoxelSettings
from keras3dgan.training.settings import knob

# The penalties are on each shape alone.
_NO_NORMALIZATION = knob("none", "of the discriminator: none with variants wgan_gp and r3gan", choices=("none",))
_VARIANT = "gan, the report's; wgan_gp; r3gan; or latent, r3gan on an autoencoder's latents"


def _diff_augment(value: str) -> str | None:
    augmentation.parse_diff(value)
    return None


@dataclasses.dataclass(frozen=True)
class GANSettings(SmoothedSettings):
    """The report's 3D-GAN."""

    MODEL = (*SmoothedSettings.MODEL, "generator_labels", "swapped_labels", "joint_batch", "centered")

    variant: str = knob("gan", _VARIANT)
    # Other readings of what the report leaves open.
    generator_labels: tuple[float, float] = knob((1.0, 1.0), "range of the labels that the generator aims at")
    swapped_labels: float = knob(
        0.0, "share of shapes that the discriminator learns with the wrong label", least=0, below=1
    )
    joint_batch: bool = knob(False, "normalise real and generated shapes in the discriminator as one batch")
    centered: bool = knob(False, "the discriminator sees voxels as -1 and 1, not 0 and 1")


@dataclasses.dataclass(frozen=True)
class WGANGPSettings(VoxelSettings):
    """A Wasserstein GAN with gradient penalty (Gulrajani et al. 2017)."""

    MODEL = (*VoxelSettings.MODEL, "critic_steps", "critic_first", "penalty_weight")

    variant: str = knob("wgan_gp", _VARIANT)
    d_normalization: str = _NO_NORMALIZATION
    critic_steps: int = knob(5, "wgan_gp: critic updates to one of the generator", least=1)
    critic_first: int = knob(0, "wgan_gp: steps at the start in which the critic learns alone", least=0)
    penalty_weight: float = knob(10.0, "wgan_gp, r3gan: weight of the gradient penalty", least=0)


@dataclasses.dataclass(frozen=True)
class R3GANSettings(VoxelSettings):
    """A relativistic GAN with zero-centred penalties (Huang et al. 2024)."""

    MODEL = (*VoxelSettings.MODEL, "penalty_weight", "diff_augment")

    variant: str = knob("r3gan", _VARIANT)
    d_normalization: str = _NO_NORMALIZATION
    penalty_weight: float = knob(1.0, "wgan_gp, r3gan: weight of the gradient penalty", least=0)
    diff_augment: str = knob(
        "none", "r3gan: changes to what the discriminator sees: mirror,shift,cutout; or none", check=_diff_augment
    )


@dataclasses.dataclass(frozen=True)
class LatentSettings(AdversarialSettings):
    """A relativistic GAN on the latents of an autoencoder, which turns what it draws into shapes."""

    MODEL = (*AdversarialSettings.MODEL, "penalty_weight")

    variant: str = knob("latent", _VARIANT)
    penalty_weight: float = knob(1.0, "wgan_gp, r3gan: weight of the gradient penalty", least=0)
    depth: int = knob(3, "latent: residual blocks of both perceptrons; width is that of their layers", least=1)
    copies: int = knob(10, "latent: augmented copies of each shape whose latents are learnt", least=1)
