"""Numbers as bytes of seven bits, low ones first, the last of each below 128."""

from __future__ import annotations

from collections.abc import Sequence


def write(numbers: Sequence[int]) -> bytes:
    """The bytes of numbers that are not negative."""
    result = bytearray()
    for number in numbers:
        while number > 127:
            result.append(number & 127 | 128)
            number >>= 7
        result.append(number)
    return bytes(result)


def read(content: bytes, count: int) -> tuple[list[int], int]:
    """As many numbers as there are, up to `count`, and the place behind them; none above 2^63, which nobody writes."""
    numbers: list[int] = []
    number = shift = place = 0
    while len(numbers) < count and place < len(content):
        number |= (content[place] & 127) << shift
        shift += 7
        if content[place] < 128:
            numbers.append(number)
            number = shift = 0
        elif shift > 56:  # else a long one would take the square of its length in time
            break
        place += 1
    return numbers, place
