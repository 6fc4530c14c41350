"""The folder of one training run."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import tempfile
from typing import Any

import keras

import keras3dgan.models  # noqa: F401  registers the classes that model files name
from keras3dgan.codec.latent_coder import LatentCoder
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.models.fingerprint import fingerprint

# Settings that a run may change when it goes on: they do not touch what it has learnt so far.
_MAY_CHANGE = ("epochs",)


class RunDirectory:
    """What `--workdir` names: `config.json`, `checkpoints/`, `metrics.jsonl`, `events/`, `samples/`, `models/`, `result.json`.

    Args:
        path: the folder; made by `start`.
        writes: False makes every method that writes do nothing; for all but the first of several hosts.
    """

    def __init__(self, path: str | os.PathLike[str], writes: bool = True):
        self.path = pathlib.Path(path)
        self.writes = writes
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.events = self.path / "events"
        self.metrics_file = self.path / "metrics.jsonl"

    def start(self, kind: str, config: Any, parts: dict[str, keras.Model] | None = None) -> None:
        """Writes `config.json`, or checks that the run found here was started with the same settings.

        Args:
            kind: what is trained, as `gan`.
            config: the dataclass of settings.
            parts: trained models that go into this run, by name; their fingerprints are recorded and compared.

        Raises:
            InputError: the folder holds another run.
        """
        settings = json.loads(json.dumps(dataclasses.asdict(config)))
        prints = {name: fingerprint(model).hex() for name, model in (parts or {}).items()}
        if (self.path / "config.json").exists():
            old = self.config()
            if old["kind"] != kind:
                raise InputError(f"--workdir: {self.path} holds a run of kind '{old['kind']}'; choose another folder.")
            for name, value in settings.items():
                before = old["settings"].get(name)
                if before != value and name not in _MAY_CHANGE:
                    raise InputError(
                        f"--workdir: {self.path} was started with {name} {before}, not {value}; "
                        "give the same flags to go on, or another folder."
                    )
            for name, value in prints.items():
                if old.get("parts", {}).get(name, value) != value:
                    raise InputError(
                        f"--workdir: {self.path} was started with another {name}; give that, or another folder."
                    )
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(f"--workdir: {self.path} is not empty and holds no run; choose another folder.")
        self._write("config.json", {"kind": kind, "settings": settings, "parts": prints, **environment()})

    def config(self) -> dict[str, Any]:
        """The content of `config.json`.

        Raises:
            InputError: there is none, or it is damaged.
        """
        path = self.path / "config.json"
        try:
            return json.loads(path.read_text())
        except FileNotFoundError as error:
            raise InputError(f"{self.path}: no training run here (config.json is missing); train one first.") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read; choose another run.") from error

    def result(self) -> dict[str, Any] | None:
        """What a finished run reported, None while it is not finished."""
        path = self.path / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    def finish(self, result: dict[str, Any]) -> None:
        """Writes `result.json`, which marks the run as finished."""
        self._write("result.json", result)

    def reopen(self) -> None:
        """Removes `result.json`: from here on the run is not finished."""
        if self.writes:
            (self.path / "result.json").unlink(missing_ok=True)

    def metrics(self) -> list[dict[str, float]]:
        """The lines of `metrics.jsonl`, one an epoch."""
        if not self.metrics_file.exists():
            return []
        lines = self.metrics_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def drop_metrics_after(self, step: int) -> None:
        """Removes the lines of epochs that are about to be trained again."""
        if self.writes and self.metrics_file.exists():
            kept = [json.dumps(line) + "\n" for line in self.metrics() if line["step"] <= step]
            with replacing(self.metrics_file) as temporary:
                temporary.write_text("".join(kept))

    def add_metrics(self, line: dict[str, float]) -> None:
        """Appends a line to `metrics.jsonl`."""
        if self.writes:
            with open(self.metrics_file, "a") as file:
                file.write(json.dumps(line) + "\n")

    def save_model(self, name: str, model: keras.Model) -> None:
        """Writes `models/<name>.keras`. Of several hosts all must call it: reading metrics takes them all."""
        if self.writes:
            with replacing(self.path / "models" / f"{name}.keras") as temporary:
                model.save(temporary)
        else:
            with tempfile.TemporaryDirectory() as folder:
                model.save(os.path.join(folder, f"{name}.keras"))

    def load_model(self, name: str) -> keras.Model:
        """Reads `models/<name>.keras`.

        Raises:
            InputError: this run has no such model, or its file is damaged.
        """
        path = self.path / "models" / f"{name}.keras"
        if not path.is_file():
            raise InputError(f"{self.path}: no trained {name} here ({path.name} is missing); train one first.")
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:
            raise InputError(f"{path}: a damaged model file; run its training again.") from error

    def save_coders(self, coders: list[LatentCoder]) -> None:
        """Writes `models/coder.npz`, and those of further rates as `models/coder_1.npz` and so on."""
        if self.writes:
            for index, coder in enumerate(coders):
                with replacing(self._coder(index)) as temporary:
                    temporary.write_bytes(coder.to_bytes())

    def load_coders(self) -> list[LatentCoder]:
        """Undoes `save_coders`.

        Raises:
            InputError: this run has none, or a file is damaged.
        """
        if not self._coder(0).is_file():
            raise InputError(f"{self.path}: no entropy tables here (coder.npz is missing); let its training finish.")
        coders: list[LatentCoder] = []
        while (path := self._coder(len(coders))).is_file():
            coders.append(LatentCoder.from_bytes(path.read_bytes(), str(path)))
        return coders

    def _coder(self, index: int) -> pathlib.Path:
        return self.path / "models" / (f"coder_{index}.npz" if index else "coder.npz")

    def save_octree(self, model: OctreeModel) -> None:
        """Writes `models/octree.npz`."""
        if self.writes:
            with replacing(self.path / "models" / "octree.npz") as temporary:
                temporary.write_bytes(model.to_bytes())

    def _write(self, name: str, content: dict[str, Any]) -> None:
        if self.writes:
            with replacing(self.path / name) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n")


def environment() -> dict[str, Any]:
    """Commit, package versions and hardware, as every run and result records them."""
    names = ("tensorflow-cpu", "tensorflow", "jax", "keras", "numpy", "tensorflow-datasets")
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "commit": _commit(),
        "versions": versions,
        "hardware": {"cpu": _cpu_name(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()},
    }


def _commit() -> str:
    """The commit of the checkout that this package runs from, with `+` where it was changed; empty when installed."""
    root = pathlib.Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        except OSError:  # no git here
            return ""

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def _cpu_name() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def write_result(path: str | os.PathLike[str], command: str, content: dict[str, Any]) -> None:
    """Writes a measurement as JSON, with the command, the date, the commit and the hardware it was made with."""
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%MZ")
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps({"command": command, "date": when, **environment(), **content}, indent=1) + "\n"
        )
