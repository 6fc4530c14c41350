"""Ways to damage bytes, words and JSON, blind or with an eye for what they mean."""

import copy
import json
import re

import numpy as np

# Sizes, counts and indices that programs have stumbled over.
NUMBERS = [
    0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 513, 65535, 65536, 2**24, 10**9, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32,
    2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**40, 0.5, -0.0, 1e-320, 1e30, 3.5e38, 1e308, float("inf"), float("nan"),
]  # fmt: skip
WORDS = [
    "", " ", "a", "nan", "inf", "-inf", "1e999", "0x10", "1_0", "1,5", "1.5D+00", "9" * 400, "9" * 5000, "\0", "\x1b[2J",
    "\u202e", "\udcff", "../../x", "/etc/passwd", "..", "x" * 5000, "%00", "data:,", "http://x/y", "None", "{}", "true",
]  # fmt: skip
_TOKEN = re.compile(rb"[^\s,:()\[\]{}'\"]+")


def some(rng: np.random.Generator, choices):
    """One of them."""
    return choices[int(rng.integers(len(choices)))]


def number(rng: np.random.Generator):
    """A number, often one at a border."""
    return some(rng, NUMBERS) if rng.random() < 0.8 else int(rng.integers(-300, 300))


def whole(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number within these, often one at a border."""
    value = number(rng)
    return min(max(int(value), low), high) if np.isfinite(float(value)) else high


def blind(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """A damaged copy; never one of the two themselves, as two flips of a bit would give."""
    while (damaged := _blind(content, other, rng)) in (content, other):
        pass
    return damaged


def _blind(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    kind = rng.integers(6)
    data = bytearray(content or b"\0")
    if kind == 0:  # flipped bits
        for _ in range(rng.integers(1, 9)):
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    elif kind == 1:  # cut
        del data[rng.integers(len(data)) :]
    elif kind == 2:  # spliced
        data = data[: rng.integers(len(data))] + bytearray(other[rng.integers(len(other) or 1) :])
    elif kind == 3:  # inflated
        at = rng.integers(len(data))
        data[at:at] = bytes(data[: 1 << 14]) * rng.integers(1, 60)
    elif kind == 4:  # extreme bytes, as sizes may be
        at = rng.integers(len(data))
        data[at : at + 8] = bytes([some(rng, [0, 127, 128, 255])]) * rng.integers(1, 9)
    else:  # noise
        data = bytearray(rng.bytes(rng.integers(200)))
    return bytes(data)


def words(content: bytes, rng: np.random.Generator, most: int | None = None) -> bytes:
    """Some words of a text, of its first `most` bytes, become others: numbers above all, and words swapped or lost."""
    found = list(_TOKEN.finditer(content[:most]))
    if not found:
        return content
    changes = {}
    for _ in range(rng.integers(1, 4)):
        # The first words are keywords and counts.
        match = some(rng, found[:12]) if rng.random() < 0.4 else some(rng, found)
        choice = rng.integers(4)
        if choice == 0:
            new = str(number(rng)).encode()
        elif choice == 1:
            new = some(rng, WORDS).encode("utf-8", "surrogateescape")
        elif choice == 2:
            new = some(rng, found)[0]
        else:
            new = match[0] * int(rng.integers(0, 3))
        changes[match.span()] = new
    result, at = b"", 0
    for (start, end), new in sorted(changes.items()):
        result += content[at:start] + new
        at = end
    return result + content[at:]


def lines(content: bytes, rng: np.random.Generator) -> bytes:
    """Lines of a text doubled, lost, moved or joined."""
    parts = content.split(b"\n")
    start = int(rng.integers(len(parts)))
    piece = parts[start : start + int(rng.integers(1, 20))]
    kind = rng.integers(4)
    if kind == 0:
        parts[start:start] = piece * int(rng.integers(1, 200))
    elif kind == 1:
        del parts[start : start + len(piece)]
    elif kind == 2:
        at = int(rng.integers(len(parts)))
        parts[at:at] = piece
    else:
        parts[start : start + len(piece)] = [some(rng, [b" ", b"\\\n", b"\0", b""]).join(piece)]
    return b"\n".join(parts)


def fields(content: bytes, rng: np.random.Generator, start: int = 0, step: int = 4, most: int = 4000) -> bytes:
    """Some of the numbers at every `step` bytes become others: sizes, counts, types or coordinates."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        places = (min(len(data), most) - start) // step
        if places <= 0:
            return content
        # What stands in front means most.
        at = start + step * int(places * rng.random() ** 3)
        if rng.random() < 0.5:
            value = whole(rng, -(2**63), 2**64 - 1)
            data[at : at + step] = (value & (256**step - 1)).to_bytes(step, some(rng, ["little", "little", "big"]))
        elif rng.random() < 0.5:
            with np.errstate(over="ignore"):
                data[at : at + step] = np.float32(some(rng, NUMBERS[-10:])).tobytes()[:step].ljust(step, b"\0")
        else:
            old = int.from_bytes(data[at : at + step], "little") + int(rng.integers(-9, 10))
            data[at : at + step] = (old & (256**step - 1)).to_bytes(step, "little")
    return bytes(data)


def tree(root, rng: np.random.Generator):
    """A copy of what JSON can say with some values replaced, lost, doubled, or put where others were."""
    root = copy.deepcopy(root)
    for _ in range(rng.integers(1, 4)):
        places = list(_places(root))
        if not places:
            break
        holder, key = some(rng, places)
        choice = rng.integers(7)
        if choice <= 1:
            holder[key] = number(rng)
        elif choice == 2:
            holder[key] = some(rng, [None, True, False, {}, [], "", *WORDS])
        elif choice == 3:
            other, name = some(rng, places)
            holder[key] = copy.deepcopy(other[name])
        elif choice == 4:
            del holder[key]
        elif choice == 5 and isinstance(holder, list):
            holder[key:key] = [copy.deepcopy(holder[key])] * int(rng.integers(1, 300))
        else:
            deep = holder[key]
            for _ in range(int(rng.integers(1, 100))):
                deep = [deep]
            holder[key] = deep
    return root


def document(root, rng: np.random.Generator) -> bytes:
    """JSON of such a copy; now and then with words changed, or deeper than any parser goes."""
    text = json.dumps(tree(root, rng)).encode()
    kind = rng.random()
    if kind < 0.1:
        return words(text, rng)
    if kind < 0.15:
        at = int(rng.integers(len(text) + 1))
        return text[:at] + some(rng, [b"[", b'{"a":', b"[[],"]) * int(rng.integers(1, 100_000)) + text[at:]
    return text


def _places(root):
    pending = [root]
    while pending:
        holder = pending.pop()
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])
