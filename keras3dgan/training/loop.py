"""The training loop that every model goes through: resume, fit, record, finish."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import keras
import numpy as np

from keras3dgan import backend, data
from keras3dgan.errors import InputError
from keras3dgan.runs import Run
from keras3dgan.training import averaging, checkpoint, distribution
from keras3dgan.training.best_models import BestModels
from keras3dgan.training.callbacks import RunRecorder
from keras3dgan.training.options import Options
from keras3dgan.training.settings import Settings
from keras3dgan.voxels.shape_set import ShapeSet


@contextlib.contextmanager
def prepared(settings: Settings) -> Iterator[None]:
    """Models are built inside, with the seed, deterministic operations, as exact resume needs them, and the precision."""
    keras.utils.set_random_seed(settings.seed)
    backend.make_deterministic(not settings.xla)  # Keras compiles nothing where they are
    before = keras.config.dtype_policy()
    precision = settings.precision
    if precision == "auto":
        precision = "mixed_bfloat16" if backend.has_bfloat16() else "float32"
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def steps_per_epoch(shapes: ShapeSet, batch_size: int) -> int:
    """Whole batches in one pass over the shapes, at least one."""
    return max(1, len(shapes) // batch_size)


def start(
    run: Run, kind: str, settings: Settings, parts: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any] | None:
    """Starts a run, or finds it started with the same settings.

    To be called when everything else that was given has proved usable: a run that was started keeps its settings for ever.

    Args:
        run: where to write.
        kind: of the run.
        settings: every knob.
        parts: fingerprints of the trained models that go in, by name.

    Returns:
        The content of `result.json` if all epochs have been trained, which is said, else None.

    Raises:
        InputError: as `Run.start`; or the devices cannot share a batch equally.
    """
    distribution.check_batch_size(settings.batch_size)
    run.start(kind, settings, parts, settings.may_change)
    result = run.result()
    if result is None or result.get("epochs_wanted", result.get("epochs", 0)) < settings.epochs:
        return None
    print(f"{run.path}: finished already, {result['epochs']} epochs in {result['seconds']:.0f} s; nothing to train.")
    return result


def fit(
    run: Run,
    model: keras.Model,
    settings: Settings,
    train: ShapeSet,
    validation: ShapeSet | None,
    exports: dict[str, keras.Model],
    options: Options,
    with_labels: bool = False,
    summary: Callable[[], dict[str, Any]] = dict,
    make_batches: Callable[[int], Any] | None = None,
) -> dict[str, Any]:
    """Trains a compiled model for `settings.epochs` epochs, going on from the run's last checkpoint.

    Args:
        run: the run directory, started.
        model: compiled, its optimizers built.
        settings: epochs, batch size, seed and augmentation.
        train: shapes to train on.
        validation: shapes to measure on after every epoch.
        exports: models to write as `models/<name>.keras`.
        options: checkpoints and further callbacks.
        with_labels: whether the model learns classes.
        summary: called after the last epoch for more to put into the result.
        make_batches: gives the batches from a step on; default: `data.training_batches` of the training shapes.

    Returns:
        The content of `result.json`.
    """
    backend.make_fit_work(model)
    steps = steps_per_epoch(train, settings.batch_size)
    progress = resume(run, model, settings)
    step = int(progress["step"])
    if make_batches is None:
        draw = (settings.batch_size, settings.seed)
        batches = data.training_batches(train, *draw, step, settings.augmentation, with_labels)
    else:
        batches = make_batches(step)
    recorder = RunRecorder(run, steps, progress["seconds"], options.checkpoint_seconds, exports)
    validation, held_out = _held_out(validation, settings.batch_size, with_labels)
    try:
        model.fit(
            batches,
            epochs=settings.epochs,
            initial_epoch=settings.epochs if _is_over(options) else int(progress["epoch"]),
            steps_per_epoch=steps,
            validation_data=held_out,
            shuffle=False,
            verbose=(1 if sys.stdout.isatty() else 2) if run.writes else 0,
            callbacks=[averaging.MeasureAveraged(), *options.callbacks, *_tensorboard(run), recorder],
        )
        backend.gather(0)  # a host that leaves before the others have finished would look like one that died
    except KeyboardInterrupt:
        # Several hosts must save together, and who knows whether the others have been interrupted.
        if not backend.on_several_hosts():
            recorder.save_and_leave()
        raise
    counts = {"devices": backend.device_count(), "train_shapes": len(train), "validation_shapes": len(validation or ())}
    return finish(run, settings, recorder, {**counts, **summary()})


def _is_over(options: Options) -> bool:
    """Whether patience had ended the training before, and only its result is missing."""
    for callback in options.callbacks:
        if isinstance(callback, BestModels):
            callback.recall()
            if callback.is_over:
                return True
    return False


def resume(run: Run, model: keras.Model, settings: Settings) -> dict[str, float]:
    """Restores the run's last checkpoint, if there is one, and returns its epoch, step and seconds of training.

    Raises:
        InputError: the run has trained more epochs than are asked for.
    """
    progress = checkpoint.restore(run.checkpoints, model) or {"epoch": 0, "step": 0, "seconds": 0.0}
    if progress["epoch"] > settings.epochs:
        raise InputError(f"{run.path} has trained {progress['epoch']:.0f} already; ask for at least as many.", "epochs")
    run.reopen(settings)
    run.drop_metrics_after(int(progress["step"]))
    distribution.agree_on_step(int(progress["step"]))
    if progress["epoch"]:
        print(f"{run.path}: going on after epoch {progress['epoch']} of {settings.epochs}.")
    return progress


def finish(run: Run, settings: Settings, recorder: RunRecorder, more: dict[str, Any]) -> dict[str, Any]:
    """Writes `result.json`: epochs, steps and seconds, the last epoch's measures, and what the training has to add."""
    # Where the last epoch had been trained before, and only the result was missing, its line lies in the file.
    last = recorder.line or run.metrics()[-1]
    result = {
        "epochs_wanted": settings.epochs,
        "epochs": last["epoch"],
        "steps": last["step"],
        "seconds": round(recorder.seconds, 1),
        "last": last,
        **more,
    }
    run.finish(result)
    return result


def _held_out(shapes: ShapeSet | None, batch_size: int, with_labels: bool) -> tuple[ShapeSet | None, Any]:
    """The validation shapes that are measured on, and their batches."""
    if shapes is None:
        return None, None
    # Every device gets as many shapes as the others: one without any would report the mean of nothing.
    shapes = shapes.take(np.arange(len(shapes) // backend.device_count() * backend.device_count()))
    return shapes, data.evaluation_batches(shapes, batch_size, with_labels) if len(shapes) else None


def _tensorboard(run: Run) -> list[keras.callbacks.Callback]:
    if not run.writes:
        return []
    if importlib.util.find_spec("tensorflow"):
        return [keras.callbacks.TensorBoard(run.events, write_graph=False)]
    print(f"{run.path}: no TensorBoard events, which need TensorFlow; metrics.jsonl has every number.")
    return []
