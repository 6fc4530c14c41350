"""Checks what `make release` has built: the size of the wheel, and that each file installs and works without the checkout.

python tests/release.py dist/keras3dgan-0.1.0.tar.gz dist/keras3dgan-0.1.0-py3-none-any.whl

Each is installed into an empty environment of every Python from 3.11 on that is at hand, a shape is compressed and restored.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

PYTHONS = ("python3.11", "python3.12", "python3.13")
_MOST = 50_000_000
_TRY = """
import numpy as np, pathlib, keras3dgan
assert pathlib.Path(keras3dgan.__file__).is_relative_to(pathlib.Path({environment!r})), keras3dgan.__file__
grid = np.zeros((32, 32, 32), np.uint8)
grid[8:24, 8:24, 4:6] = 1
np.save("shape.npy", grid)
"""


def works(path: pathlib.Path, python: str) -> str:
    """What `compress` says of a shape, from this file in an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        environment = pathlib.Path(folder) / "environment"
        binaries = environment / "bin"

        def run(*words: str) -> str:
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{path.name}, {python}: {' '.join(words)}\n{done.stdout}{done.stderr}")
            return done.stdout

        run(python, "-m", "venv", str(environment))
        run(str(binaries / "pip"), "install", "--quiet", str(path.resolve()))
        run(str(binaries / "python"), "-c", _TRY.format(environment=str(environment)))
        said = run(str(binaries / "keras3dgan"), "compress", "shape.npy")
        run(str(binaries / "keras3dgan"), "decompress", "shape.g3c", "--output=again.npy")
        same = "import numpy as np; assert (np.load('shape.npy') == np.load('again.npy')).all()"
        run(str(binaries / "python"), "-c", same)
        return said.strip()


def _runs(python: str) -> bool:
    """Whether it is at hand; pyenv's stand-ins are there for versions that are not."""
    return bool(shutil.which(python)) and not subprocess.run([python, "--version"], capture_output=True).returncode


def main() -> None:
    """Prints a line for each file and Python; ends with status 1 where something fails."""
    files = [pathlib.Path(word) for word in sys.argv[1:]]
    if not {".whl", ".gz"} <= {path.suffix for path in files}:
        sys.exit("give the wheel and the sdist.")
    for path in files:
        size = path.stat().st_size
        print(f"{path.name}: {size / 1e6:.1f} MB")
        if size > _MOST:
            sys.exit(f"{path.name} is larger than {_MOST / 1e6:.0f} MB.")
    pythons = [python for python in PYTHONS if _runs(python)]
    for path in files:
        for python in pythons:
            print(f"{path.name}, {python}: {works(path, python)}", flush=True)


if __name__ == "__main__":
    main()
