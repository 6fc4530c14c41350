"""The settings that the 3D-GAN and the 3D-VAE-GAN share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from keras3dgan.training.settings import MeasuredSettings, knob

if TYPE_CHECKING:
    import keras

OPTIMIZERS = ("adam", "sgd")


@dataclasses.dataclass(frozen=True)
class AdversarialSettings(MeasuredSettings):
    """Generator, discriminator and their optimizers. The report names no number of epochs; its curves show a few hundred."""

    # The settings that the model's constructor takes.
    MODEL: ClassVar[tuple[str, ...]] = ("latent_stddev", "average", "seed")

    epochs: int = knob(300, "passes over the training shapes", least=1)
    latent_size: int = knob(200, "length of the latent vector", least=1)
    latent_stddev: float = knob(0.33, "standard deviation of the latents", above=0)
    width: int = knob(256, "channels of the 2x2x2 block next to the dense layer", least=1)
    g_optimizer: str = knob("adam", "generator's optimizer: adam or sgd", choices=OPTIMIZERS)
    g_learning_rate: float = knob(0.0025, "generator's learning rate", above=0)
    d_optimizer: str = knob("sgd", "discriminator's optimizer: adam or sgd", choices=OPTIMIZERS)
    d_learning_rate: float = knob(0.0001, "discriminator's learning rate", above=0)
    beta_1: float = knob(0.5, "Adam's beta 1", least=0, below=1)
    momentum: float = knob(0.0, "SGD's momentum", least=0, below=1)
    average: float = knob(
        0.0,
        "share of the old value in the generator's running mean, 0.99 or so; 0: none",
        least=0,
        below=1,
    )

    def optimizers(self) -> tuple[keras.optimizers.Optimizer, keras.optimizers.Optimizer]:
        """The generator's and the discriminator's."""
        from keras3dgan.training.optimizers import make_optimizer

        return (
            make_optimizer(self.g_optimizer, self.g_learning_rate, self.beta_1, momentum=self.momentum),
            make_optimizer(self.d_optimizer, self.d_learning_rate, self.beta_1, momentum=self.momentum),
        )

    def for_model(self) -> dict[str, Any]:
        """The arguments of the model's constructor that are settings."""
        return {name: getattr(self, name) for name in self.MODEL}


@dataclasses.dataclass(frozen=True)
class VoxelSettings(AdversarialSettings):
    """Convolutional networks that see or make voxels."""

    init_stddev: float = knob(0.01, "standard deviation of the initial weights; 0: He's", least=0)
    init_occupied: float = knob(
        0.5, "occupancy that the generator starts at; 0: that of the training shapes", least=0, below=1
    )
    d_normalization: str = knob(
        "batch",
        "of the discriminator: batch, inner (batch but in the first layer) or none",
        choices=("batch", "inner", "none"),
    )


@dataclasses.dataclass(frozen=True)
class SmoothedSettings(VoxelSettings):
    """The report's way to keep discriminator and generator level (section 3.2.3)."""

    MODEL = (
        *VoxelSettings.MODEL,
        "real_labels",
        "fake_labels",
        "gate_accuracy",
        "balance",
        "noise_stddev",
    )

    real_labels: tuple[float, float] = knob((0.7, 1.2), "range of the labels of real shapes")
    fake_labels: tuple[float, float] = knob((0.0, 0.3), "range of the labels of generated shapes")
    gate_accuracy: float = knob(0.8, "no discriminator update at this accuracy or above; above 1: always update")
    balance: float = knob(0.5, "how strongly learning rates follow the balance of the losses; 0: not at all", least=0)
    noise_stddev: float = knob(0.0, "standard deviation of noise on all that the discriminator sees", least=0)


# What makes the report's 3D-GAN converge (docs/generation.md): an output that starts as full as real shapes are; a
# discriminator with Adam that sees the occupied fraction, learns on every step and sees everything through noise; and the
# running mean of the generator's weights in place of the last.
CONVERGING: dict[str, Any] = {
    "init_stddev": 0.02,
    "init_occupied": 0.0,
    "d_normalization": "inner",
    "d_optimizer": "adam",
    "d_learning_rate": 0.0003,
    "gate_accuracy": 2.0,
    "balance": 0.0,
    "noise_stddev": 0.5,
    "average": 0.98,
}
