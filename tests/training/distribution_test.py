"""Several hosts take the step that one takes, and say so when one is lost; misuse of devices gets a sentence."""

import functools
import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import conftest
from tests.conftest import command_environment

# Variables are named as in a process of their own.
run_command = functools.partial(conftest.run_command, fresh=True)


def _words(workdir, archive, epochs=2, strategy="multi_worker"):
    words = [
        "train_gan",
        f"--workdir={workdir}",
        "--preset=test",
        f"--dataset={archive}",
        "--batch_size=16",
        "--measure_every=1",
    ]
    return [*words, "--samples_every=0", "--checkpoint_seconds=0", f"--epochs={epochs}", f"--strategy={strategy}"]


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _start_hosts(words):
    workers = [f"localhost:{port}" for port in _free_ports(2)]
    hosts = []
    for index in range(2):
        config = json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})
        command = [sys.executable, "-m", "keras3dgan", words[0], *words[1:]]
        environment = {**command_environment(), "TF_CONFIG": config}
        hosts.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        )
    return hosts


def _end(hosts):
    outputs = [host.communicate(timeout=300) for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0], [error[-2000:] for _, error in outputs]
    return [out for out, _ in outputs]


def _checkpoint(workdir):
    path = max((workdir / "checkpoints").glob("*.npz"))
    with np.load(path) as content:
        names = json.loads(content["header"].tobytes())["variables"]
        return {f"{i}:{name}": content[f"{i:05d}"] for i, name in enumerate(names)}


def test_two_hosts_train_as_one_process(packed_archive, tmp_path):
    outputs = _end(_start_hosts(_words(tmp_path / "two", packed_archive, epochs=1)))
    run_command(*_words(tmp_path / "one", packed_archive, epochs=1, strategy="none"))
    two, one = _checkpoint(tmp_path / "two"), _checkpoint(tmp_path / "one")
    assert two.keys() == one.keys()
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=5e-3, atol=1e-3, err_msg=name)
    # Only the first host writes; the other measured its own weights, and found the same.
    assert outputs[0].splitlines()[-2].split(";")[1] == outputs[1].splitlines()[-2].split(";")[1]
    assert "kept the generator" in outputs[1]


@pytest.mark.slow  # hosts wait for a lost one
def test_a_lost_host_is_told_and_the_pair_goes_on(packed_archive, tmp_path):
    workdir = tmp_path / "run"
    words = _words(workdir, packed_archive, epochs=40)
    first, second = _start_hosts(words)
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list(workdir.glob("checkpoints/*.npz")):
        assert second.poll() is None, second.communicate()[1]
        time.sleep(0.05)
    second.send_signal(signal.SIGKILL)
    _, error = first.communicate(timeout=200)
    second.communicate()
    assert first.returncode == 1 and error.count("\n") == 1, error[-2000:]
    assert "another host has stopped; start all of them again" in error
    done = len((workdir / "metrics.jsonl").read_text().splitlines())
    outputs = _end(_start_hosts(_words(workdir, packed_archive, epochs=done + 1)))
    assert "going on after epoch" in outputs[0]
    assert json.loads((workdir / "result.json").read_text())["epochs"] == done + 1


def test_misuse_gets_one_sentence(packed_archive, tmp_path):
    result = run_command(*_words(tmp_path / "a", packed_archive), check=False)
    assert result.returncode == 1 and "set TF_CONFIG on every host" in result.stderr
    words = [*_words(tmp_path / "b", packed_archive, strategy="mirrored"), "--virtual_cpus=3"]
    result = run_command(*words, check=False)
    assert result.returncode == 1 and "16 shapes cannot be shared equally by 3 devices" in result.stderr
    assert not any((tmp_path / name / "config.json").exists() for name in "ab")
