"""Every loss of the project, each a pure function on Keras tensors that returns a scalar."""

import math
from typing import Any

from keras import ops

_EPSILON = 1e-12


def sigmoid_cross_entropy(logits: Any, labels: Any) -> Any:
    """Mean binary cross entropy, -t log s(l) - (1 - t) log(1 - s(l)), for labels that may be soft or leave [0, 1].

    Args:
        logits: any shape.
        labels: the same shape, or one that broadcasts to it.
    """
    return ops.mean(ops.softplus(logits) - logits * labels)


def discriminator_loss(real_logits: Any, fake_logits: Any, real_labels: Any, fake_labels: Any) -> Any:
    """Mean of the cross entropies on real and on generated shapes (the report, equation 1, with smoothed labels).

    Args:
        real_logits: (batch, 1).
        fake_logits: (batch, 1).
        real_labels: (batch, 1), in the report uniform in [0.7, 1.2].
        fake_labels: (batch, 1), in the report uniform in [0, 0.3].

    Returns:
        A scalar; log 2 where the discriminator cannot tell. Labels above 1 let it fall below zero.
    """
    return 0.5 * (sigmoid_cross_entropy(real_logits, real_labels) + sigmoid_cross_entropy(fake_logits, fake_labels))


def non_saturating_generator_loss(fake_logits: Any) -> Any:
    """-log D(G(z)) instead of log(1 - D(G(z))) (the report, section 3.2.3; Goodfellow et al. 2014).

    Args:
        fake_logits: (batch, 1).

    Returns:
        A scalar >= 0; log 2 where the discriminator cannot tell.
    """
    return ops.mean(ops.softplus(-fake_logits))


def mean_l2_distance(x: Any, y: Any) -> Any:
    """The batch mean of ||x - y||_2, the norm taken over everything but the batch (the report, section 3.3.2).

    Computed in float32 whatever the inputs are. The tiny constant under the root keeps the gradient finite where both are
    equal.

    Args:
        x: (batch, ...).
        y: the same shape.
    """
    difference = ops.reshape(ops.cast(x - y, "float32"), (ops.shape(x)[0], -1))
    return ops.mean(ops.sqrt(ops.sum(ops.square(difference), axis=1) + _EPSILON))


def cross_entropy_and_dice(logits: Any, voxels: Any) -> Any:
    """Mean binary cross entropy of a shape, in thousands of bits, plus one minus the mean Dice coefficient.

    Cross entropy counts every voxel alike; the Dice coefficient 2 |x y| / (|x| + |y|) is blind to the empty ones, as IoU is
    (Milletari et al. 2016, "V-Net", equation 3, without their squares).

    Args:
        logits: (batch, ...).
        voxels: the same shape, in [0, 1].

    Returns:
        A scalar >= 0.
    """
    count = ops.shape(logits)[0]
    logits = ops.reshape(ops.cast(logits, "float32"), (count, -1))
    voxels = ops.reshape(ops.cast(voxels, "float32"), (count, -1))
    bits = ops.sum(ops.softplus(logits) - logits * voxels, axis=1) / math.log(2)
    occupancy = ops.sigmoid(logits)
    both = ops.sum(occupancy * voxels, axis=1)
    dice = 2 * both / (ops.sum(occupancy, axis=1) + ops.sum(voxels, axis=1) + _EPSILON)
    return ops.mean(bits / 1000 + 1 - dice)


def soft_jaccard_distance(logits: Any, voxels: Any) -> Any:
    """One minus the intersection over union of each shape, of occupancies that need not be 0 or 1 (Rahman and Wang 2016).

    Args:
        logits: (batch, ...).
        voxels: the same shape, in [0, 1].

    Returns:
        (batch,), in [0, 1].
    """
    count = ops.shape(logits)[0]
    occupancy = ops.sigmoid(ops.reshape(ops.cast(logits, "float32"), (count, -1)))
    voxels = ops.reshape(ops.cast(voxels, "float32"), (count, -1))
    both = ops.sum(occupancy * voxels, axis=1)
    return 1 - both / (ops.sum(occupancy, axis=1) + ops.sum(voxels, axis=1) - both + _EPSILON)


def normal_divergence(mean: Any, log_variance: Any, stddev: float) -> Any:
    """The batch mean of KL(N(mean, exp(log_variance)) || N(0, stddev^2)) in nats, over all latents (the report, equation 4).

    Args:
        mean: (batch, k).
        log_variance: (batch, k).
        stddev: of the prior; 0.33 in the report.

    Returns:
        A scalar >= 0.
    """
    ratio = log_variance - 2 * math.log(stddev)
    each = 0.5 * (ops.exp(ratio) + ops.square(mean / stddev) - 1.0 - ratio)
    return ops.mean(ops.sum(each, axis=1))


def wasserstein_critic_loss(real_scores: Any, fake_scores: Any) -> Any:
    """E[critic(fake)] - E[critic(real)] (Gulrajani et al. 2017, equation 3); minus it is the estimated distance.

    Args:
        real_scores: (batch, 1).
        fake_scores: (batch, 1).
    """
    return ops.mean(fake_scores) - ops.mean(real_scores)


def wasserstein_generator_loss(fake_scores: Any) -> Any:
    """-E[critic(fake)] (Gulrajani et al. 2017, algorithm 1).

    Args:
        fake_scores: (batch, 1).
    """
    return -ops.mean(fake_scores)


def gradient_penalty(gradients: Any) -> Any:
    """The batch mean of (||gradient||_2 - 1)^2, the norm over all axes of a shape (Gulrajani et al. 2017, equation 3).

    Args:
        gradients: (batch, ...), of the critic's score with respect to its input.
    """
    squares = ops.sum(ops.square(ops.reshape(gradients, (ops.shape(gradients)[0], -1))), axis=1)
    return ops.mean(ops.square(ops.sqrt(squares + _EPSILON) - 1.0))


def relativistic_loss(better_scores: Any, worse_scores: Any) -> Any:
    """E[softplus(-(better - worse))], pair by pair (Huang et al. 2024, equation 2).

    The discriminator's with real before generated shapes; the generator's the other way round.

    Args:
        better_scores: (batch, 1).
        worse_scores: (batch, 1).

    Returns:
        A scalar >= 0; log 2 where both are alike.
    """
    return ops.mean(ops.softplus(worse_scores - better_scores))


def zero_centred_penalty(gradients: Any) -> Any:
    """The batch mean of ||gradient||_2^2 (Mescheder et al. 2018, equation 9, without gamma / 2).

    Args:
        gradients: (batch, ...), of the discriminator's score with respect to its input.
    """
    return ops.mean(ops.sum(ops.square(ops.reshape(gradients, (ops.shape(gradients)[0], -1))), axis=1))
