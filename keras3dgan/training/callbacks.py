"""What happens at the end of an epoch: the log and the checkpoint."""

import math
import time
from collections.abc import Callable

import keras

from keras3dgan.errors import InputError
from keras3dgan.runs import Run
from keras3dgan.training import averaging, checkpoint, distribution
from keras3dgan.training.model_files import save_model
from keras3dgan.training.options import Options, Samples


class Periodic(keras.callbacks.Callback):
    """What happens every few epochs, and always after the last.

    Args:
        run: where to write.
        every: epochs between two times; 0: only after the last.
    """

    def __init__(self, run: Run, every: int):
        super().__init__()
        self.run = run
        self.every = every

    def is_due(self, epoch: int) -> bool:
        """Whether it is time, after an epoch as Keras counts them, from 0."""
        return epoch + 1 == self.params["epochs"] or (self.every > 0 and (epoch + 1) % self.every == 0)


class SamplePictures(Periodic):
    """Draws what a model makes every few epochs, as `samples/epoch-<n>.png` and in TensorBoard.

    Args:
        run: where to write.
        options: how often, and by what.
        sample: gives the shapes to draw, from the logs of the epoch.
    """

    def __init__(self, run: Run, options: Options, sample: Callable[[dict[str, float]], Samples]):
        super().__init__(run, options.samples_every)
        self.draw = options.draw
        self.sample = sample

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.draw and self.is_due(epoch) and self.run.writes:
            self.draw(self.sample(logs or {}), self.run.samples / f"epoch-{epoch + 1:05d}.png")


class RunRecorder(keras.callbacks.Callback):
    """Writes `metrics.jsonl` and the checkpoints of a run.

    A checkpoint is written at the end of an epoch, when the last one is older than `checkpoint_seconds`, and after the
    last epoch. Training between two checkpoints is a pure function of the first, so a run that was killed repeats at
    most those epochs and ends exactly as it would have.

    Args:
        run: where to write.
        steps_per_epoch: optimizer steps an epoch.
        seconds_before: training time of this run before it was resumed.
        checkpoint_seconds: how much training time may be lost at most, in whole epochs.
        exports: models to write as `models/<name>.keras` with every checkpoint.
    """

    def __init__(
        self,
        run: Run,
        steps_per_epoch: int,
        seconds_before: float,
        checkpoint_seconds: float,
        exports: dict[str, keras.Model],
    ):
        super().__init__()
        self.run = run
        self.steps_per_epoch = steps_per_epoch
        self.seconds_before = seconds_before
        self.checkpoint_seconds = checkpoint_seconds
        self.exports = exports
        self.line: dict[str, float] = {}
        self.state: checkpoint.Snapshot | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.begin = self.last_checkpoint = time.monotonic()

    @property
    def seconds(self) -> float:
        """Training time of this run so far, all its sessions together."""
        return self.seconds_before + time.monotonic() - self.begin

    def end_if_diverged(self, epoch: int, logs: dict[str, float]) -> None:
        """Saves what was good and raises `InputError` where a number of an epoch is not finite."""
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            self.save_and_leave()
            good = checkpoint.found(self.run.checkpoints)
            where = f"the last good checkpoint is {good[-1]}" if good else "there is no good checkpoint yet"
            raise InputError(
                f"{self.run.path}: {bad[0]} is not finite after epoch {epoch + 1}; {where}; start in another folder with a "
                "lower learning rate."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.end_if_diverged(epoch, logs or {})
        step = (epoch + 1) * self.steps_per_epoch
        progress = {"epoch": epoch + 1, "step": step, "seconds": round(self.seconds, 3)}
        self.line = {**progress, **{name: float(value) for name, value in (logs or {}).items()}}
        self.run.add_metrics(self.line)
        self.state = checkpoint.snapshot(self.model, progress)
        last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if last or distribution.first_hosts(time.monotonic() - self.last_checkpoint >= self.checkpoint_seconds):
            self.save_last_epoch()

    def save_last_epoch(self) -> None:
        """Writes models and checkpoint as they were at the end of the last whole epoch, if that is not done yet."""
        if self.state is None:
            return
        # The checkpoint last: killed in between, the run repeats these epochs and writes the models again.
        with averaging.averaged(self.model):
            for name, model in self.exports.items():
                save_model(self.run, name, model)
        if self.run.writes:
            checkpoint.save(self.run.checkpoints, self.state)
        self.state = None
        self.last_checkpoint = time.monotonic()

    def save_and_leave(self) -> None:
        """What is left to do when training is interrupted in the middle of an epoch."""
        if self.state is not None:
            self.state.put_into(self.model)
        self.save_last_epoch()
