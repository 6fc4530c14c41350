"""Pictures as the encoder sees them: the object in the middle, as large as it fits, on a background."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras3dgan import bounded
from keras3dgan.bounded import Limits
from keras3dgan.errors import InputError

# Share of the picture's edge that the object's longer side takes.
_FILLED = 0.9
# Colours that differ from the border by less than this, of 255, are background, in pictures without alpha.
_NEAR = 12
# Share of the border that must be of one colour for it to be a background.
_PLAIN = 0.85
_LARGEST = 100_000_000
# Of those that Pillow knows; some of the others start programs.
_FORMATS = ("PNG", "JPEG")


def framed(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture cut to its object, with the same margin on the longer sides, uint8 (size, size, 4).

    Args:
        picture: uint8 (height, width, 4), alpha 0 where there is no object; taken whole where there is none at all.
        size: pixels along an edge.
    """
    seen = picture[..., 3] > 8
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        rows, columns = np.arange(picture.shape[0]), np.arange(picture.shape[1])
    edge = max(int(np.ptp(rows)), int(np.ptp(columns)), 1) / _FILLED
    middle_y, middle_x = (float(places[0] + places[-1] + 1) / 2 for places in (rows, columns))
    box = (middle_x - edge / 2, middle_y - edge / 2, middle_x + edge / 2, middle_y + edge / 2)
    # Multiplied, so that the colour of what is transparent does not bleed in.
    alpha = picture[..., 3:].astype(np.float32) / 255
    multiplied = np.concatenate([picture[..., :3] * alpha, 255 * alpha], axis=-1)
    found = np.stack([_cut(multiplied[..., channel], box, size) for channel in range(4)], axis=-1)
    found[..., :3] /= np.maximum(found[..., 3:] / 255, 1e-3)
    return np.rint(found.clip(0, 255)).astype(np.uint8)


def _cut(channel: np.ndarray, box: tuple[float, float, float, float], size: int) -> np.ndarray:
    margin = int(np.ceil(max(-min(box), box[2] - channel.shape[1], box[3] - channel.shape[0], 0)))
    whole = Image.fromarray(np.pad(channel, margin).astype(np.float32))
    left, top, right, bottom = (side + margin for side in box)
    return np.asarray(whole.resize((size, size), Image.Resampling.BOX, box=(left, top, right, bottom)))


def on_white(picture: np.ndarray) -> np.ndarray:
    """Pictures uint8 (..., 4) on white, float32 (..., 3) in [0, 1]."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    return picture[..., :3].astype(np.float32) / 255 * alpha + (1 - alpha)


def read_picture(path: str | os.PathLike[str], size: int, limits: Limits = Limits()) -> np.ndarray:
    """Reads a PNG or JPEG picture of an object and frames it, uint8 (size, size, 4).

    Where it has no alpha and its border is of one colour, that is taken for the background; else the whole picture is shown.

    Args:
        path: the file, of any size.
        size: pixels along an edge of what comes back.
        limits: time and memory that it may take, in a child process.

    Raises:
        InputError: the file is missing, no picture, damaged, or takes more than the limits.
    """
    given = {"path": os.fspath(path), "size": size}
    _, content = bounded.call(f"{__name__}:picture_bytes", given, str(path), limits)
    return np.frombuffer(content, np.uint8).reshape(size, size, 4).copy()


def picture_bytes(path: str, size: int) -> tuple[dict[str, Any], bytes]:
    """`read_picture` in this process, as a child process can tell it."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file.")
    try:
        with Image.open(path, formats=_FORMATS) as file:
            if file.width * file.height > _LARGEST:
                raise InputError(f"{path}: {file.width} x {file.height} pixels are too many; make it smaller.")
            picture = np.asarray(file.convert("RGBA"))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: no picture that can be read; give a PNG or JPEG file.") from error
    if (picture == picture[0, 0]).all():
        raise InputError(f"{path}: shows nothing, it is of one colour; give a picture of an object.")
    found = framed(picture if (picture[..., 3] < 255).any() else _without_background(picture), size)
    return {}, found.tobytes()


def _without_background(picture: np.ndarray) -> np.ndarray:
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])[:, :3].astype(np.int64)
    color = np.median(border, axis=0)
    if (np.abs(border - color).max(axis=1) < _NEAR).mean() < _PLAIN:
        return picture
    alpha = np.abs(picture[..., :3].astype(np.int64) - color).max(axis=2) >= _NEAR
    return np.dstack([picture[..., :3], 255 * alpha.astype(np.uint8)])
