"""Two devices take the step of one, and JAX takes that of TensorFlow: every model, weights, moments and logs after ten steps."""

import fcntl
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import command_environment, needs_jax

# One of each base class; the others take minutes more.
FAST = ("gan", "latent", "compressor", "voxnet")
SLOW = ("readings", "wgan_gp", "r3gan", "vae_gan", "pictures", "autoencoder")
KINDS = (*FAST, *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, worker_id):
    """What a model becomes on a backend and a strategy; each pair trains all fast ones in one process, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    base = (base if worker_id == "master" else base.parent) / "steps"
    base.mkdir(exist_ok=True)

    def get(kind, backend, strategy):
        kinds = FAST if kind in FAST else SLOW
        folder = base / f"{backend}-{strategy}-{kinds[0]}"
        with open(f"{folder}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / f"{kinds[-1]}.npz").exists():
                folder.mkdir(exist_ok=True)
                environment = {**command_environment(), "KERAS_BACKEND": backend}
                command = [sys.executable, "-m", "tests.backend.steps", strategy, str(folder), ",".join(kinds)]
                root = environment["PYTHONPATH"]
                result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, timeout=900)
                assert result.returncode == 0, result.stderr[-3000:]
        with np.load(folder / f"{kind}.npz") as content:
            return dict(content)

    return get


def _assert_same(one, two, skipped=()):
    assert one.keys() == two.keys()
    for name in one:
        if name not in skipped:
            np.testing.assert_allclose(two[name], one[name], rtol=2e-3, atol=5e-5, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_two_devices_take_the_step_of_one(kind, trained):
    one, two = trained(kind, "tensorflow", "none"), trained(kind, "tensorflow", "mirrored")
    _assert_same(one, two, skipped=("log diversity",))  # of pairs within each replica
    if kind == "gan":
        assert 0 < np.mean(one["log d_trained"]) < 1, one["log d_trained"]


@needs_jax
@pytest.mark.parametrize("kind", KINDS)
def test_jax_takes_the_step_of_tensorflow(kind, trained):
    _assert_same(trained(kind, "tensorflow", "none"), trained(kind, "jax", "none"))


@needs_jax
@pytest.mark.slow  # the strategy is Keras's own there; half a minute
@pytest.mark.parametrize("kind", KINDS)
def test_two_devices_take_the_step_of_one_on_jax(kind, trained):
    _assert_same(trained(kind, "jax", "none"), trained(kind, "jax", "mirrored"))
