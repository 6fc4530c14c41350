"""Several devices and several hosts on TensorFlow: as many programs as devices, each with its share of a batch."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework import config  # tf.config only switches it on

from keras3dgan.backend.processor import cpu_has_bfloat16
from keras3dgan.errors import InputError, LostHostError


def jit_compile(xla: bool) -> bool:
    """Whether Keras compiles steps by XLA: if asked for, since on CPUs that is ruinous for 3D convolutions."""
    return xla


def has_bfloat16() -> bool:
    """Whether layers are faster in bfloat16: on GPUs since NVIDIA's Ampere, else on CPUs with instructions for it."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return all(
            tf.config.experimental.get_device_details(gpu).get("compute_capability", (0,)) >= (8,) for gpu in gpus
        )
    return cpu_has_bfloat16()


def make_deterministic(wanted: bool) -> None:
    """From here on the same operations give the same bits, or need not."""
    if wanted:
        tf.config.experimental.enable_op_determinism()
    else:
        config.disable_op_determinism()


def replicas() -> int:
    """How many programs share a batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


device_count = replicas


def own_rows(values: Any, count: Any) -> Any:
    """This replica's rows of values that were drawn for all replicas, so that their number changes no random number."""
    if replicas() == 1:
        return values
    first = tf.distribute.get_replica_context().replica_id_in_sync_group * count
    return values[first : first + count]


@contextlib.contextmanager
def scope(strategy: str, virtual_cpus: int = 1) -> Iterator[None]:
    """Everything built and trained inside runs on the devices of a strategy. Open it before TensorFlow has done anything.

    Args:
        strategy: `none`; `mirrored`, all GPUs of this host; or `multi_worker`, the hosts that `TF_CONFIG` names.
        virtual_cpus: splits the CPU into so many devices, to try a strategy where there is no GPU.

    Raises:
        InputError: `TF_CONFIG` is missing or wrong, or another host cannot be reached.
    """
    if virtual_cpus > 1:
        devices = [tf.config.LogicalDeviceConfiguration()] * virtual_cpus
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    if strategy == "none":
        yield
    elif strategy == "mirrored":
        gpus = tf.config.list_logical_devices("GPU")
        devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
        # NCCL, the default, is for GPUs; this one also lets several strategies live in one process.
        operations = None if gpus else tf.distribute.HierarchicalCopyAllReduce()
        with tf.distribute.MirroredStrategy(devices, cross_device_ops=operations).scope():
            yield
    else:
        check_cluster()
        hosts = ", ".join(json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"])
        print(f"waiting until all hosts are there: {hosts}", flush=True)
        with tf.distribute.MultiWorkerMirroredStrategy().scope():
            yield


def check_cluster() -> None:
    """Checks `TF_CONFIG` before TensorFlow does, which waits for ever on hosts that are not there.

    Raises:
        InputError: it is missing or wrong.
    """
    form = '{"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": "worker", "index": 0}}'
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        workers, task = config["cluster"]["worker"], config["task"]
        usable = task["type"] == "worker" and 0 <= int(task["index"]) < len(workers)
    except (KeyError, ValueError, TypeError):
        usable = False
    if not usable:
        raise InputError(f"multi_worker: set TF_CONFIG on every host, as {form}.", "strategy")


def is_first_host(strategy: str) -> bool:
    """Whether this process writes the run directory: the only one does, or the first of several hosts."""
    return strategy != "multi_worker" or int(json.loads(os.environ["TF_CONFIG"])["task"]["index"]) == 0


def on_several_hosts() -> bool:
    """Whether a multi-worker strategy is in force."""
    return isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy)


def gather(value: int) -> list[int]:
    """The value that each host gives, the same list on all; waits for all of them. Just the value where there is one host."""
    if not on_several_hosts():
        return [value]
    strategy = tf.distribute.get_strategy()

    @tf.function
    def all_gather() -> Any:
        return strategy.run(lambda: tf.distribute.get_replica_context().all_gather(tf.constant([value]), axis=0))

    return [int(v) for v in strategy.experimental_local_results(all_gather())[0]]


def make_fit_work(model: keras.Model) -> None:
    """Lets Keras's `fit` run a built model on several hosts, which Keras 3.15 does not by itself.

    It averages logs over hosts along their first axis, which scalars lack, and it builds models, ours too that are built, from
    a batch that it cannot take apart where there are labels.
    """
    if not on_several_hosts():
        return
    model._maybe_symbolic_build = lambda iterator=None, data_batch=None: None
    for name in ("train_step", "test_step"):
        step = getattr(model, name)
        setattr(model, name, lambda data, step=step: {key: value[None] for key, value in step(data).items()})


@contextlib.contextmanager
def host_failures(strategy: str) -> Iterator[None]:
    """Turns the loss of another host into one sentence, whatever this one was doing."""
    try:
        yield
    except (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.InternalError,
        tf.errors.DeadlineExceededError,
        tf.errors.FailedPreconditionError,
        tf.errors.UnknownError,
    ) as error:
        if strategy != "multi_worker":
            raise
        raise LostHostError(
            "multi_worker: another host has stopped; start all of them again to go on from the last checkpoint.",
            "strategy",
        ) from error
