"""Where a result comes from: the commit, the package versions and the hardware."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
from typing import Any

from keras3dgan.files import replacing

_PACKAGES = ("tensorflow-cpu", "tensorflow", "jax", "keras", "numpy", "tensorflow-datasets")


def environment() -> dict[str, Any]:
    """Commit, package versions and hardware, as every run and result records them."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "commit": _commit(),
        "versions": versions,
        "hardware": {"cpu": _cpu_name(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()},
    }


def write_result(path: str | os.PathLike[str], command: str, content: dict[str, Any]) -> None:
    """Writes a measurement as JSON, with the command, the date, the commit and the hardware it was made with."""
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%MZ")
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps({"command": command, "date": when, **environment(), **content}, indent=1) + "\n"
        )


def _commit() -> str:
    """The commit of the checkout that this package runs from, with `+` where it was changed; empty when installed."""
    root = pathlib.Path(__file__).resolve().parents[1]
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
