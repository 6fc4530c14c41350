"""The layer stacks that generator, discriminator and encoder have in common."""

import math
from typing import Any, Self

import keras
from keras import layers

from keras3dgan.backend import replicas
from keras3dgan.models import block_convolutions as on_blocks
from keras3dgan.models.pretrained import Pretrained

KERNEL = 4
LEAK = 0.2
# Keras's 0.99 averages over hundreds of steps, more than a short training has between two validations.
MOMENTUM = 0.9
# Of the discriminator: everywhere, everywhere but in the first layer, nowhere.
NORMALIZATIONS = ("batch", "inner", "none")


class Network(Pretrained, keras.Model):
    """A functional model that comes back from its constructor's arguments.

    Args:
        inputs: symbolic input.
        outputs: symbolic output.
        arguments: of the subclass's constructor; each becomes an attribute.
        **kwargs: `name` and the like.
    """

    def __init__(self, inputs: Any, outputs: Any, arguments: dict[str, Any], **kwargs: Any):
        super().__init__(inputs, outputs, **kwargs)
        self._argument_names = tuple(arguments)
        for name, value in arguments.items():
            setattr(self, name, value)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **{name: getattr(self, name) for name in self._argument_names}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        return cls(**config)

    def copy(self, name: str | None = None) -> Self:
        """Another network of the same arguments and weights, of this name or its own."""
        made = type(self).from_config({**self.get_config(), "name": name or self.name})
        made.set_weights(self.get_weights())
        return made


class VoxelNetwork(Network):
    """A network that ends in logits of voxels.

    Attributes:
        LAST: the layer whose bias is added to all of them.
    """

    LAST = "logits"

    def shifted(self, amount: float) -> Self:
        """A copy that gives logits higher by `amount`."""
        made = self.copy()
        made.get_layer(self.LAST).bias.assign_add([amount])
        return made


def stages(resolution: int) -> int:
    """How many halvings lead from `resolution` to the 2^3 block next to the dense layer: 4 for 32, 5 for 64.

    Raises:
        ValueError: the resolution is no power of two, or below 8.
    """
    count = resolution.bit_length() - 2
    if resolution < 8 or resolution != 2 << count:
        raise ValueError(f"resolution must be a power of two and at least 8, got {resolution}.")
    return count


def normal(stddev: float) -> keras.initializers.Initializer:
    """The report's initialisation, N(0, stddev^2) (section 3.2.3: zero mean, 0.01); 0 asks for He's, by fan-in."""
    return keras.initializers.RandomNormal(0.0, stddev) if stddev else keras.initializers.HeNormal()


def batch_norm(name: str) -> layers.Layer:
    """Batch normalisation, over the batch of all replicas where there are several."""
    return layers.BatchNormalization(momentum=MOMENTUM, synchronized=replicas() > 1, name=name)


def float32(x: Any) -> Any:
    """Ends a network in single precision, also where its layers compute in less."""
    return layers.Activation("linear", dtype="float32", name="float32")(x)


def downsampling_stack(x: Any, resolution: int, width: int, init_stddev: float, normalization: str = "batch") -> Any:
    """Convolutions of kernel 4 and stride 2 from (b, n, n, n, 1) to (b, 2, 2, 2, width), flattened to (b, 8 width).

    Channels double at every stage and reach `width` at the last. Each convolution is followed by batch normalisation and
    a leaky ReLU of slope 0.2 (Wu et al. 2016, section 3.1). `normalization` is one of `NORMALIZATIONS`.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(f"normalization must be one of {', '.join(NORMALIZATIONS)}, got '{normalization}'.")
    count = stages(resolution)
    for stage in range(count):
        normalized = normalization == "batch" or (normalization == "inner" and stage > 0)
        convolution = layers.Conv3D if stage else on_blocks.Conv3D  # from one channel
        x = convolution(
            max(1, width >> (count - 1 - stage)),
            KERNEL,
            strides=2,
            padding="same",
            use_bias=not normalized,
            kernel_initializer=normal(init_stddev),
            name=f"conv{stage + 1}",
        )(x)
        if normalized:
            x = batch_norm(f"bn{stage + 1}")(x)
        x = layers.LeakyReLU(negative_slope=LEAK, name=f"act{stage + 1}")(x)
    return layers.Flatten(name="flatten")(x)


def upsampling_stack(x: Any, resolution: int, width: int, init_stddev: float, init_occupied: float = 0.5) -> Any:
    """The way back: dense to (b, 2, 2, 2, width), then transposed convolutions of kernel 4 and stride 2 to (b, n, n, n, 1).

    Batch normalisation and ReLU (Wu et al. 2016, section 3.1) follow every layer but the last, which gives logits and starts
    with the bias whose sigmoid is `init_occupied`.
    """
    count = stages(resolution)
    x = layers.Dense(8 * width, use_bias=False, kernel_initializer=normal(init_stddev), name="dense")(x)
    x = batch_norm("dense_bn")(x)
    x = layers.ReLU(name="dense_act")(x)
    x = layers.Reshape((2, 2, 2, width), name="block")(x)
    for stage in range(count):
        last = stage == count - 1
        convolution = on_blocks.Conv3DTranspose if last else layers.Conv3DTranspose  # to one channel
        x = convolution(
            1 if last else max(1, width >> (stage + 1)),
            KERNEL,
            strides=2,
            padding="same",
            use_bias=last,
            kernel_initializer=normal(init_stddev),
            bias_initializer=keras.initializers.Constant(math.log(init_occupied / (1 - init_occupied))),
            name="logits" if last else f"deconv{stage + 1}",
        )(x)
        if not last:
            x = batch_norm(f"bn{stage + 1}")(x)
            x = layers.ReLU(name=f"act{stage + 1}")(x)
    return float32(x)


def residual_perceptron(x: Any, units: int, depth: int) -> Any:
    """A dense layer and residual blocks of two (He et al. 2016), each of which starts as the identity; (batch, units)."""
    x = layers.Dense(units, kernel_initializer="he_normal", name="dense")(x)
    for index in range(1, depth + 1):
        y = layers.LeakyReLU(negative_slope=LEAK, name=f"block{index}_act1")(x)
        y = layers.Dense(units, kernel_initializer="he_normal", name=f"block{index}_dense1")(y)
        y = layers.LeakyReLU(negative_slope=LEAK, name=f"block{index}_act2")(y)
        y = layers.Dense(units, kernel_initializer="zeros", name=f"block{index}_dense2")(y)
        x = layers.Add(name=f"block{index}_sum")([x, y])
    return layers.LeakyReLU(negative_slope=LEAK, name="act")(x)


def residual_stage(x: Any, count: int, name: str) -> Any:
    """Residual blocks of two convolutions of kernel 3 (He et al. 2016), without normalisation.

    Each block starts as the identity, since its last convolution starts at zero ("SkipInit", De and Smith 2020): that is what
    normalisation is needed for in deep networks, and it costs nothing.

    Args:
        x: (batch, n, n, n, channels).
        count: how many blocks.
        name: what their layers' names begin with.
    """
    channels = x.shape[-1]
    for index in range(1, count + 1):
        prefix = f"{name}{index}"
        y = layers.ReLU(name=f"{prefix}_act1")(x)
        y = layers.Conv3D(channels, 3, padding="same", kernel_initializer="he_normal", name=f"{prefix}_conv1")(y)
        y = layers.ReLU(name=f"{prefix}_act2")(y)
        y = layers.Conv3D(channels, 3, padding="same", kernel_initializer="zeros", name=f"{prefix}_conv2")(y)
        x = layers.Add(name=f"{prefix}_sum")([x, y])
    return x
