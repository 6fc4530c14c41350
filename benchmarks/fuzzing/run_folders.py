"""Folders of training runs whose files are torn, of other types, or from somebody who means harm."""

import json
import pathlib
import shutil

import numpy as np

from fuzzing import mutations
from keras3dgan import recipes
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.errors import InputError
from keras3dgan.recipes.octree import RECIPE
from keras3dgan.runs import Run
from tests.codec.octree_model import random_model
from tests.conftest import boxes


class RunFolders:
    """A finished run of the octree model with entropy tables beside: everything that is read without a backend of Keras."""

    batch = 1

    def __init__(self, kind: str, folder: pathlib.Path):
        self._settings = RECIPE.make_settings("test" if "test" in RECIPE.presets else next(iter(RECIPE.presets)))
        run = Run("whole")
        run.start("octree", self._settings, {"part": "0123456789abcdef"})
        for step in range(3):
            run.add_metrics({"epoch": step, "step": 10 * step, "loss": 0.5})
        run.finish({"epochs": 3, "last": {"loss": 0.5}, "steps": 30, "seconds": 12.5, "fingerprint": "abc"})
        run.models.mkdir()
        latents = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
        run.save_coders([EntropyCoder.fit(latents, 0.1, 32, b"decoder").to_bytes()])
        (run.models / "octree.npz").write_bytes(random_model(boxes(20)).to_bytes())
        self._files = {path: path.read_bytes() for path in sorted(run.path.rglob("*")) if path.is_file()}

    def attack(self, rng: np.random.Generator) -> str:
        shutil.rmtree("run", ignore_errors=True)
        changed = {mutations.some(rng, [*self._files]) for _ in range(rng.integers(1, 3))}
        for path, content in self._files.items():
            target = pathlib.Path("run", *path.parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self._changed(path, content, rng) if path in changed else content)
        return "error" if sum([self._refused(step, Run("run")) for step in self._STEPS]) else "accepted"

    @staticmethod
    def _changed(path: pathlib.Path, content: bytes, rng: np.random.Generator) -> bytes:
        kind = rng.integers(5)
        if kind == 0 or path.suffix == ".npz":
            return mutations.blind(content, content, rng)
        if kind == 1:
            return mutations.words(content, rng)
        if path.suffix == ".json":
            return mutations.document(json.loads(content), rng)
        lines = [mutations.tree([json.loads(line)], rng) for line in content.splitlines()]
        return b"\n".join(json.dumps(line[0] if line else None).encode() for line in lines)

    _STEPS = (
        lambda self, run: (run.kind, run.settings, run.result(), run.metrics(), run.outcome()),
        lambda self, run: run.start("octree", self._settings, {"part": "0123456789abcdef"}),
        lambda self, run: run.drop_metrics_after(10),
        lambda self, run: EntropyCoder.from_bytes(run.coder_files()[0].read_bytes(), "coder"),
        lambda self, run: RECIPE.read_settings(run),
        lambda self, run: recipes.load_codec(run.path),
    )

    def _refused(self, step, run: Run) -> bool:
        try:
            step(self, run)
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 7000, str(error)[:500]
            return True
        return False
