"""Probabilities at another temperature, the same on every machine."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from keras3dgan.codec.octree import arithmetic, draws
from keras3dgan.errors import InputError

# Python's decimals round exp and ln correctly, unlike floats, whose last bit depends on the C library.
_DIGITS = 40
_LEAST, _MOST = Decimal("0.1"), Decimal(10)
# Costs further apart than this make weights of 0.
_FAR = 60


def tempered(chances: np.ndarray, temperature: float) -> np.ndarray:
    """Chances at a temperature: odds to the power of its inverse.

    Args:
        chances: int32 (count,), 1 to 65535 of 65536.
        temperature: 0.1 to 10, by its shortest decimal; 1 leaves every chance as it is, less makes the likely likelier.

    Returns:
        int32 (count,), 1 to 2^30 - 1 of 2^30.

    Raises:
        InputError: a temperature outside these.
    """
    exact = Decimal(repr(float(temperature)))
    if not (exact.is_finite() and _LEAST <= exact <= _MOST):
        raise InputError(f"must lie between {_LEAST} and {_MOST}, got {temperature}.", "temperature")
    table = {chance: _tempered(chance, exact) for chance in set(chances.tolist())}
    return np.array([table[chance] for chance in chances.tolist()], np.int32)


def _tempered(chance: int, temperature: Decimal) -> int:
    whole = 1 << draws.PRECISION
    if temperature == 1:
        return chance << (draws.PRECISION - arithmetic.PRECISION)
    with decimal.localcontext(prec=_DIGITS, rounding=decimal.ROUND_HALF_EVEN):
        odds = ((Decimal(65536 - chance) / chance).ln() / temperature).exp()
        return min(max(int((whole / (1 + odds)).to_integral_value()), 1), whole - 1)


def likelihoods(costs: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Integer weights in proportion to weight times likelihood.

    Args:
        costs: of the same thing in several ways, in 1/65536 bit.
        weights: of the ways before, integers that are not negative.
    """
    least = min(costs)
    with decimal.localcontext(prec=_DIGITS, rounding=decimal.ROUND_HALF_EVEN):
        return [weight * _half_to(cost - least) for cost, weight in zip(costs, weights, strict=True)]


def _half_to(cost: int) -> int:
    """2^-(cost / 65536), of 2^60."""
    if cost >= _FAR << 16:
        return 0
    # Not as a power, which is not always rounded correctly.
    return int((Decimal(2).ln() * (_FAR - Decimal(cost) / 65536)).exp().to_integral_value())
