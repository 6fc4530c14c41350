"""What makes one adversarial model differ from another, without a backend."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from keras3dgan.metrics import samples

# Its attributes are there for type checkers; a model has one keras.Model among its bases, the last.
if TYPE_CHECKING:
    _Model = keras.Model
else:
    _Model = object


@dataclasses.dataclass(frozen=True)
class Guidance:
    """A loss of the generator and of another network, an image encoder, say.

    Attributes:
        network: learns with it.
        optimizer: of that network.
        loss: gives the scalar loss of a batch, and a dictionary of scalars to log.
        prefix: what the name of its gradient norm begins with in the logs.
    """

    network: keras.Model
    optimizer: keras.optimizers.Optimizer
    loss: Callable[[], tuple[Any, dict[str, Any]]]
    prefix: str


class Hooks(_Model):  # type: ignore[misc, valid-type]
    """What the training step of a backend asks of a model; `AdversarialModel` says when."""

    generator: keras.Model
    discriminator: keras.Model
    average_generator: keras.Model | None
    g_optimizer: keras.optimizers.Optimizer
    d_optimizer: keras.optimizers.Optimizer

    def discriminator_loss(self, real: Any, fake: Any) -> tuple[Any, dict[str, Any]]:
        """Scalar loss of a real and a generated batch (batch, n, n, n, 1), and scalars to log."""
        raise NotImplementedError

    def generator_loss(self, fake: Any, real: Any) -> Any:
        """Scalar loss of a generated batch, beside a real one."""
        raise NotImplementedError

    def perturb(self, voxels: Any) -> Any:
        """What the discriminator is shown instead of these voxels."""
        return voxels

    def real_voxels(self, data: Any) -> Any:
        """The real shapes (batch, n, n, n, 1) of what `fit` was given."""
        return keras.utils.unpack_x_y_sample_weight(data)[0]

    def discriminator_trains(self, logs: dict[str, Any]) -> Any:
        """Whether this step updates the discriminator, given what `discriminator_loss` logged over all replicas: True, or a
        boolean tensor equal on all replicas."""
        return True

    def generator_trains(self) -> Any:
        """Whether this step updates the generator, as `discriminator_trains`."""
        return True

    def guidance(self, data: Any) -> Guidance | None:
        """What the generator learns besides deceiving the discriminator, and who learns with it; None: nothing."""
        return None

    def describe(self, fake: Any) -> dict[str, Any]:
        """Scalars to log of a generated batch: whether it has collapsed."""
        return {"occupied": samples.occupied_fraction(fake), "diversity": samples.diversity(fake)}

    def after_step(self, logs: dict[str, Any]) -> None:
        """Called with everything logged at the end of a step."""

    def sample_latents(self, count: Any) -> Any:
        """Draws (count, latent_size) latents."""
        raise NotImplementedError

    def update_average(self) -> None:
        """Moves the average generator, batch statistics included, towards the generator."""
        raise NotImplementedError

    def track(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Takes a step's logs into the means of the epoch and returns those."""
        raise NotImplementedError
