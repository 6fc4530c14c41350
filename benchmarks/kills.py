"""Kill -9 at random moments: every training, and bulk compression with two workers, must end as if nothing had happened.

    python benchmarks/kills.py --output=results/kills.json [--count=50] [--folder=/tmp/kills] [--only=gan,bulk]

Each task runs once in peace. Then it is started, killed at a moment drawn from its whole working time, and started again, until
it ends; both outcomes must be equal, with no temporary file and no process left. Stopped, it goes on where it was.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.files import replacing
from keras3dgan.provenance import write_result
from keras3dgan.voxels import io as voxels_io

# Tiny settings, a few seconds of steps each; where there is patience, it ends the training.
_TRAININGS = {
    "gan": ["--augmentation=rotate", "--measure_every=1", "--patience=3", "--epochs=30"],
    "voxnet": ["--classes=bathtub,chair", "--epochs=12"],
    "autoencoder": ["--epochs=12"],
    "compressor": ["--gan={whole}/gan", "--voxnet={whole}/voxnet", "--halve_every=2", "--epochs=12"],
    "vae_gan": ["--measure_every=1", "--patience=3", "--epochs=12", "--data_dir={folder}/data"],
    "octree": ["--epochs=4", "--steps=4"],
}
_COMMON = ["--preset=test", "--dataset={folder}/shapes.npz", "--checkpoint_seconds=0"]
_BULK = ["--shard_size=5", "--beam=--direct_num_workers=2 --direct_running_mode=multi_processing"]
_MESHES = 300
# Seconds in which what a killed command had started must have ended, and in which any command must. A worker of Beam that had not
# reached the command yet gives up after two minutes.
_AFTERMATH, _LONGEST = 150, 3600


@dataclasses.dataclass(frozen=True)
class Task:
    """What is killed: `command` writes a folder, which the last flag names."""

    name: str
    command: tuple[str, ...]
    flag: str


def tasks(folder: pathlib.Path) -> list[Task]:
    """All of them, those first that others need."""
    places = {"folder": folder, "whole": folder / "whole"}
    found = [
        Task(
            name,
            tuple(word.format(**places) for word in [f"train_{name}", *_COMMON, "--samples_every=0", *words]),
            "workdir",
        )
        for name, words in _TRAININGS.items()
    ]
    return [*found, Task("bulk", ("bulk_compress", *_BULK, str(folder / "meshes")), "output")]


def prepare(folder: pathlib.Path) -> None:
    """Writes 80 and 12 of the bundled shapes as a data set of ModelNet10's form, and meshes of some."""
    if (folder / "shapes.npz").exists():
        return
    content = {}
    for part, split, count in (("train", "train", 80), ("test", "test", 12)):
        grids = bundled.read(split, 32).grids()[:count]
        content |= {f"X_{part}": grids[:, 1:-1, 1:-1, 1:-1].astype(np.int32), f"y_{part}": np.arange(count) % 2 * 2}
    for index, grid in enumerate(bundled.read("train", 32).grids()[:_MESHES]):
        voxels_io.write_shape(folder / "meshes" / f"{index % 7}" / f"{index:03d}.stl", grid)
    with replacing(folder / "shapes.npz") as temporary:
        np.savez_compressed(temporary, **content)


@contextlib.contextmanager
def started(task: Task, target: pathlib.Path, folder: pathlib.Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, in a session of its own; what it says goes to `<folder>/<task>.log`."""
    command = [sys.executable, "-m", "keras3dgan", task.command[0], f"--{task.flag}={target}", *task.command[1:]]
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir(exist_ok=True)
    with open(folder / f"{task.name}.log", "ab") as log:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as process:
            try:
                yield process
            finally:
                process.kill()  # where this script is stopped; else it has ended


def working_since(process: subprocess.Popen[bytes], target: pathlib.Path) -> float:
    """Waits until it has locked its folder, before which it can leave nothing behind; the moment."""
    while process.poll() is None and not (target / ".lock").exists():
        time.sleep(0.01)
    return time.monotonic()


def run_in_peace(task: Task, target: pathlib.Path, folder: pathlib.Path) -> float:
    """Seconds from the lock to the end; an error where the command fails."""
    with started(task, target, folder) as process:
        begin = working_since(process, target)
        if process.wait(timeout=_LONGEST):
            raise SystemExit(f"{task.name}: failed with {process.returncode}; see {folder / task.name}.log")
    return time.monotonic() - begin


def kill_once(task: Task, target: pathlib.Path, folder: pathlib.Path, moment: float) -> dict[str, Any] | None:
    """Starts the command and kills it so many seconds after its start of work; None where it had ended before.

    Gives `done`, files that were there, and `processes`, what outlived the command by a minute.
    """
    (target / ".lock").unlink(missing_ok=True)  # so that the start of the work is seen
    with started(task, target, folder) as process:
        working_since(process, target)
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(timeout=moment)
            if status:
                raise SystemExit(f"{task.name}: failed with {status}; see {folder / task.name}.log")
            return None
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + _AFTERMATH
        while (left := _session(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    return {"seconds": round(moment, 2), "files": len(_files(target)), "processes": len(left)}


def _session(leader: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                found.append(int(path.parent.name))
    return found


def _files(folder: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def differences(whole: pathlib.Path, torn: pathlib.Path) -> list[str]:
    """Files that only one of two outcomes has, or that differ in more than the time they took.

    Each start of a training writes TensorBoard events to a file of its own; those are left out.
    """
    names = [{name for name in _files(place) if not name.startswith("events/")} for place in (whole, torn)]
    found = [f"only one has {name}" for name in sorted(names[0] ^ names[1])]
    return found + [
        f"{name} differs" for name in sorted(names[0] & names[1]) if _content(whole / name) != _content(torn / name)
    ]


def _content(path: pathlib.Path) -> Any:
    """What a file holds, without seconds, and without the numbers that a process gives to names."""
    if path.suffix == ".npz" and path.parent.name == "checkpoints":
        with np.load(path) as content:
            header = json.loads(content["header"].tobytes())
            return _timeless(header), [content[name].tobytes() for name in sorted(content.files) if name != "header"]
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as file:
            return _timeless(json.loads(file.read("config.json"))), _weights(file.read("model.weights.h5"))
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        return [_timeless(json.loads(line)) for line in path.read_text().splitlines()]
    return path.read_bytes()


def _weights(content: bytes) -> list[tuple[str, bytes]]:
    found = []
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(
            lambda name, item: found.append((_plain(name), item[()].tobytes())) if hasattr(item, "shape") else None
        )
    return sorted(found)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _timeless(item) for key, item in value.items() if key not in ("seconds", "build_config")}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return _plain(value) if isinstance(value, str) else value


def _plain(name: str) -> str:
    return re.sub(r"_\d+(?=/|$)", "", name)


class Progress:
    """What has been done so far, in `<folder>/progress.json`: of each task its seconds in peace, kills and comparisons."""

    def __init__(self, folder: pathlib.Path):
        self._path = folder / "progress.json"
        self.tasks: dict[str, dict[str, Any]] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def save(self) -> None:
        """Writes it."""
        with replacing(self._path) as temporary:
            temporary.write_text(json.dumps(self.tasks, indent=1))


def attack(task: Task, folder: pathlib.Path, progress: Progress, count: int) -> None:
    """Kills a task so often, and compares each of its outcomes."""
    whole, torn = folder / "whole" / task.name, folder / "torn" / task.name
    if task.name not in progress.tasks:
        shutil.rmtree(whole, ignore_errors=True)
        progress.tasks[task.name] = {"seconds": run_in_peace(task, whole, folder), "kills": [], "outcomes": []}
        progress.save()
    state = progress.tasks[task.name]
    while True:
        last = len(state["kills"]) >= count
        begin, fresh = time.monotonic(), not torn.exists()
        killed = kill_once(task, torn, folder, _LONGEST if last else random.uniform(0, state["seconds"]))
        if killed:
            state["kills"].append(killed)
            print(f"{task.name}: {killed}", flush=True)
        else:
            found = differences(whole, torn)
            print(f"{task.name}: ended, {found or 'equal'}", flush=True)
            state["outcomes"].append({"differences": found})
            if found:
                shutil.copytree(torn, folder / "bad" / f"{task.name}{len(state['outcomes'])}", dirs_exist_ok=True)
            shutil.rmtree(torn)
            if fresh:  # it may have more of the machine than it had first
                state["seconds"] = min(state["seconds"], time.monotonic() - begin)
        progress.save()
        if last:
            return


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--count", type=int, default=50, help="kills, of all tasks together")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/kills"), help="for what is killed")
    parser.add_argument("--only", help="tasks, with commas between")
    arguments = parser.parse_args()
    prepare(arguments.folder)
    progress = Progress(arguments.folder)
    everything = tasks(arguments.folder)
    for index, task in enumerate(everything):
        if arguments.only is None or task.name in arguments.only.split(","):
            share = arguments.count // len(everything) + (index < arguments.count % len(everything))
            attack(task, arguments.folder, progress, share)
    rows = {name: _row(state) for name, state in progress.tasks.items()}
    content = {
        "tasks": rows,
        "kills": sum(row["kills"] for row in rows.values()),
        "outcomes": sum(row["outcomes"] for row in rows.values()),
        "differences": sorted({text for row in rows.values() for text in row["differences"]}),
        "processes_left": sum(row["processes_left"] for row in rows.values()),
    }
    write_result(arguments.output, shlex.join(sys.argv), content)
    print(f"{content['kills']} kills, {content['outcomes']} outcomes, differences: {content['differences'] or 'none'}")


def _row(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "seconds_in_peace": round(state["seconds"], 1),
        "kills": len(state["kills"]),
        "killed_after_seconds": [killed["seconds"] for killed in state["kills"]],
        "processes_left": sum(killed["processes"] for killed in state["kills"]),
        "outcomes": len(state["outcomes"]),
        "differences": sorted({text for outcome in state["outcomes"] for text in outcome["differences"]}),
    }


if __name__ == "__main__":
    main()
