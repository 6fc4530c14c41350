"""What a training agrees on with the other devices and hosts."""

from __future__ import annotations

from keras3dgan.backend import device_count, gather
from keras3dgan.errors import InputError


def check_batch_size(batch_size: int) -> None:
    """Raises `InputError` where the devices cannot share a batch equally."""
    if batch_size % device_count():
        raise InputError(f"{batch_size} shapes cannot be shared equally by {device_count()} devices.", "batch_size")


def first_hosts(decision: bool) -> bool:
    """What the first host decides, since clocks differ."""
    return bool(gather(int(decision))[0])


def agree_on_step(step: int) -> None:
    """Waits for all hosts and checks that they go on from the same checkpoint.

    Raises:
        InputError: they do not.
    """
    if any(other != step for other in gather(step)):
        raise InputError(
            "the hosts see different checkpoints; it must lie on storage that all of them share.", "workdir"
        )
