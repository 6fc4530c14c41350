"""The folder of one training run, as paths and JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import locked, naming, replacing
from keras3dgan.provenance import environment


class Run:
    """A run: `config.json`, `checkpoints/`, `metrics.jsonl`, `events/`, `samples/`, `models/`, `result.json`.

    Args:
        path: the folder; made by `start`.
        writes: False makes every method that writes do nothing; for all but the first of several hosts.

    Example:
        >>> from keras3dgan.recipes import recipe
        >>> run = Run("runs/voxnet")
        >>> run.start("voxnet", recipe("voxnet").make_settings("test"))
        >>> run.kind, run.settings["epochs"], run.result()
        ('voxnet', 3, None)
    """

    def __init__(self, path: str | os.PathLike[str], writes: bool = True):
        self.path = pathlib.Path(path)
        self.writes = writes
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.events = self.path / "events"
        self.models = self.path / "models"
        self.metrics_file = self.path / "metrics.jsonl"

    @staticmethod
    def is_run(path: str | os.PathLike[str]) -> bool:
        """Whether a path is a run's folder; a preset's has a `config.json` too, but of a model."""
        path = pathlib.Path(path)
        return (path / "config.json").is_file() and not (path / "metadata.json").exists()

    @property
    def name(self) -> str:
        """What results and messages call it."""
        return str(self.path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, no other process trains this run; the lock goes with its process. Removes what a killed one left half-written.

        Raises:
            InputError: another process does.
        """
        if not self.writes:
            yield
            return
        with locked(self.path, "another process trains this run; wait for it or stop it."):
            yield

    def start(
        self,
        kind: str,
        settings: Any,
        parts: Mapping[str, str] | None = None,
        may_change: Collection[str] = ("epochs",),
    ) -> None:
        """Writes `config.json`, or checks that the run found here was started with the same settings.

        Args:
            kind: what is trained, as `gan`.
            settings: the dataclass of settings.
            parts: fingerprints of the trained models that go into this run, by name.
            may_change: settings that do not touch what the run has learnt so far.

        Raises:
            InputError: the folder holds another run, or something else.
        """
        values = _values(settings)
        if (self.path / "config.json").exists():
            old = self.config()
            self._check_same(old, kind, values, _defaults(settings), parts or {}, may_change)
            return
        # Another host sees what the first is about to write.
        if self.writes and self.path.is_dir() and any(path.name != ".lock" for path in self.path.iterdir()):
            raise InputError(f"{self.path}: is not empty and holds no run; choose another folder.")
        self._write("config.json", {"kind": kind, "settings": values, "parts": dict(parts or {}), **environment()})

    def _check_same(
        self,
        old: Mapping[str, Any],
        kind: str,
        values: Mapping[str, Any],
        defaults: Mapping[str, Any],
        parts: Mapping[str, str],
        may_change: Collection[str],
    ) -> None:
        if old["kind"] != kind:
            raise InputError(f"{self.path}: holds a run of kind '{old['kind']:.80}'; choose another folder.")
        for name, value in values.items():
            # A setting that did not exist yet had its default's effect.
            before = old["settings"].get(name, defaults.get(name))
            if before != value and name not in may_change:
                raise InputError(
                    f"{self.path}: was started with {name} {before!s:.80}, not {value}; give the same, or another folder."
                )
        for name, fingerprint in parts.items():
            if old.get("parts", {}).get(name, fingerprint) != fingerprint:
                raise InputError(f"{self.path}: was started with another {name}; give that, or another folder.")

    def config(self) -> dict[str, Any]:
        """The content of `config.json`: `kind`, `settings`, `parts`, `commit`, `versions`, `hardware`.

        Raises:
            InputError: there is none, or it is damaged.
        """
        path = self.path / "config.json"
        if not path.is_file():
            raise InputError(f"{self.path}: no training run here (config.json is missing); train one first.")
        return read_object(path, {"kind": str, "settings": dict}, {"parts": dict})

    @property
    def kind(self) -> str:
        """What is trained here."""
        return self.config()["kind"]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as they are recorded."""
        return self.config()["settings"]

    def result(self) -> dict[str, Any] | None:
        """What a finished run reported, None while it is not finished.

        Raises:
            InputError: the file is damaged.
        """
        path = self.path / "result.json"
        needed = {"epochs": int, "steps": int, "seconds": float, "last": dict}
        return read_object(path, needed, {"epochs_wanted": int}) if path.exists() else None

    def finished(self, setting: str) -> dict[str, Any]:
        """As `result`, of a run that has to be finished.

        Args:
            setting: by which it was given.

        Raises:
            InputError: it is not, or the file is damaged.
        """
        result = self.result()
        if result is None:
            raise InputError(f"{self.name} has not finished its training; let it finish.", setting)
        return result

    def finish(self, result: Mapping[str, Any]) -> None:
        """Writes `result.json`, which marks the run as finished."""
        self._write("result.json", result)

    def reopen(self, settings: Any) -> None:
        """From here on the run is trained further: records what has changed of its settings, and removes `result.json` and the
        entropy tables, which belong to models that are about to be others.

        Args:
            settings: as `start` takes them.
        """
        if not self.writes:
            return
        config, values = self.config(), _values(settings)
        if config["settings"] != values:  # the commit stays that of the start
            self._write("config.json", {**config, "settings": values})
        for path in (self.path / "result.json", *sorted(self.models.glob("coder*.npz"))):
            path.unlink(missing_ok=True)

    def metrics(self) -> list[dict[str, float]]:
        """The whole lines of `metrics.jsonl`, one an epoch."""
        if not self.metrics_file.exists():
            return []
        found = []
        for line in self.metrics_file.read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError, RecursionError):  # cut off by a kill
                content = json.loads(line)
                if isinstance(content, dict) and {"epoch", "step", "seconds"} <= content.keys():
                    found.append({str(name): value + 0 for name, value in content.items()})
        return found

    def drop_metrics_after(self, step: int) -> None:
        """Removes the lines of epochs that are about to be trained again."""
        if self.metrics_file.exists():
            self._write_metrics([line for line in self.metrics() if line["step"] <= step])

    def replace_last_metrics(self, line: Mapping[str, float]) -> None:
        """Writes the last line of `metrics.jsonl` anew."""
        self._write_metrics([*self.metrics()[:-1], line])

    def add_metrics(self, line: Mapping[str, float]) -> None:
        """Appends a line to `metrics.jsonl`."""
        if self.writes:
            with naming(self.metrics_file), open(self.metrics_file, "a") as file:
                file.write(json.dumps(line) + "\n")

    def _write_metrics(self, lines: Iterable[Mapping[str, float]]) -> None:
        if self.writes:
            with replacing(self.metrics_file) as temporary:
                temporary.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def model_file(self, name: str) -> pathlib.Path:
        """Where a trained model lies, as `generator.keras`.

        Raises:
            InputError: it does not.
        """
        path = self.models / name
        if not path.is_file():
            raise InputError(f"{self.path}: has no {name} yet; let its training finish.")
        return path

    def coder_files(self) -> list[pathlib.Path]:
        """Entropy tables, of the first rate first; empty before they have been fitted."""
        found: list[pathlib.Path] = []
        while (path := self._coder_file(len(found))).is_file():
            found.append(path)
        return found

    def save_coders(self, contents: list[bytes]) -> None:
        """Writes the entropy tables of one rate after the other."""
        if self.writes:
            for index, content in enumerate(contents):
                with replacing(self._coder_file(index)) as temporary:
                    temporary.write_bytes(content)

    def kept(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """What `make` gives, and from then on what the run's file of this name holds: for arrays that take minutes."""
        path = self.path / f"{name}.npy"
        if path.is_file():
            return np.load(path)
        made = make()
        if self.writes:
            with replacing(path) as temporary:
                np.save(temporary, made)
        return made

    def _coder_file(self, index: int) -> pathlib.Path:
        return self.models / (f"coder_{index}.npz" if index else "coder.npz")

    def newest_samples(self) -> pathlib.Path | None:
        """The last picture of samples."""
        return max(self.samples.glob("epoch-*.png"), default=None)

    def outcome(self) -> dict[str, Any]:
        """What a result file says of a training: kind, settings, commit, steps, time, and the last epoch's metrics."""
        config = self.config()
        return {**{key: config.get(key) for key in ("kind", "settings", "commit", "hardware")}, **(self.result() or {})}

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        if self.writes:
            with replacing(self.path / name) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n")


def _values(settings: Any) -> dict[str, Any]:
    """Settings as JSON gives them back."""
    return json.loads(json.dumps(dataclasses.asdict(settings)))


def _defaults(settings: Any) -> dict[str, Any]:
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    return json.loads(json.dumps({k: v for k, v in defaults.items() if v is not dataclasses.MISSING}))


class _Object(dict[str, Any]):
    """What a file holds, which is of another kind, or damaged, where something is missing."""

    def __init__(self, path: pathlib.Path, content: Mapping[str, Any]):
        super().__init__(content)
        self._path = path

    def __missing__(self, name: str) -> NoReturn:
        raise InputError(f"{self._path}: says nothing of {name}; choose another run.")


def read_object(
    path: pathlib.Path,
    needed: Mapping[str, type] = MappingProxyType({}),
    known: Mapping[str, type] = MappingProxyType({}),
) -> dict[str, Any]:
    """The object in a JSON file of a run or a preset.

    Args:
        path: of the file.
        needed: members that must be there, and their types.
        known: members that must be of these types if they are there.

    Raises:
        InputError: there is none, or it is another.
    """
    try:
        content = json.loads(path.read_text(), object_hook=lambda found: _Object(path, found))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read; choose another run.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no object; choose another run.")
    for name, kind in {**needed, **{name: known[name] for name in known.keys() & content.keys()}}.items():
        if not isinstance(content[name], (int, float) if kind is float else kind):
            raise InputError(f"{path}: {name} must be of type {kind.__name__}; choose another run.")
    return content
