"""Several devices on JAX: one program that sees whole batches, whose rows XLA spreads over the devices."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from typing import Any

import jax
import keras

from keras3dgan.backend.processor import cpu_has_bfloat16
from keras3dgan.errors import InputError

if importlib.util.find_spec("tensorflow"):
    import tensorflow as tf

    # It makes batches only, and would take all the memory of a GPU that it sees.
    tf.config.set_visible_devices([], "GPU")


def jit_compile(xla: bool) -> bool:
    """Whether Keras compiles steps: on JAX always, since the alternative is to run them operation by operation."""
    del xla
    return True


def has_bfloat16() -> bool:
    """Whether layers are faster in bfloat16: on accelerators, else on CPUs with instructions for it."""
    return jax.default_backend() != "cpu" or cpu_has_bfloat16()


def make_deterministic(wanted: bool) -> None:
    """Nothing: on CPUs XLA is deterministic; on GPUs it is with XLA_FLAGS=--xla_gpu_deterministic_ops=true."""
    del wanted


def replicas() -> int:
    """1: what a program on JAX computes, it computes on the batch of all devices."""
    return 1


def device_count() -> int:
    """How many devices share a batch."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def own_rows(values: Any, count: Any) -> Any:
    """All rows, as there is one program."""
    del count
    return values


@contextlib.contextmanager
def scope(strategy: str, virtual_cpus: int = 1) -> Iterator[None]:
    """Everything built and trained inside runs on the devices of a strategy. Open it before JAX has done anything.

    Args:
        strategy: `none`, or `mirrored`: `keras.distribution.DataParallel` over all devices of this host.
        virtual_cpus: splits the CPU into so many devices, to try a strategy where there is no accelerator.

    Raises:
        InputError: the strategy is `multi_worker`.
    """
    if strategy == "multi_worker":
        raise InputError("multi_worker is for TensorFlow; unset KERAS_BACKEND, or take mirrored.", "strategy")
    if virtual_cpus > 1:
        jax.config.update("jax_num_cpu_devices", virtual_cpus)
        # XLA runs each device's share of a program on a thread of its own and has as many as there are cores: on two cores
        # two programs under way wait for each other for ever. NPROC is what it takes for their number.
        os.environ["NPROC"] = str(8 * virtual_cpus)
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        # Devices that share a busy core wait for each other; XLA gives up after 40 s.
        os.environ["XLA_FLAGS"] = (
            f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_collective_call_terminate_timeout_seconds=600"
        )
    if strategy == "none":
        yield
    else:
        with keras.distribution.DataParallel(auto_shard_dataset=False).scope():
            yield


def is_first_host(strategy: str) -> bool:
    """True: there is one."""
    del strategy
    return True


def on_several_hosts() -> bool:
    """False."""
    return False


def gather(value: int) -> list[int]:
    """The value of this host alone."""
    return [value]


def make_fit_work(model: keras.Model) -> None:
    """Nothing: Keras's `fit` works."""
    del model


@contextlib.contextmanager
def host_failures(strategy: str) -> Iterator[None]:
    """Nothing: there is no other host."""
    yield
