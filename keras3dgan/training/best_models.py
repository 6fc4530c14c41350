"""Measures a model while it trains, and keeps the best one."""

from __future__ import annotations

import math

import keras

from keras3dgan.runs import Run
from keras3dgan.training.callbacks import Periodic
from keras3dgan.training.model_files import save_model


class BestModels(Periodic):
    """Every few epochs measures what is trained, adds the numbers to the epoch's logs, and writes the models of the best one.

    A subclass names the number that decides, and says how to measure and what to keep. The best so far is read from the
    run's metrics, so a resumed run goes on as one that was never interrupted.

    Args:
        run: where to write.
        every: epochs between measurements; the last epoch is always measured, 0 measures no other.
        patience: measurements without a better one after which training ends; 0 never ends it.
    """

    # The name in the logs of the number that decides, and what a sentence calls it.
    key: str
    title: str
    higher_is_better = False

    def __init__(self, run: Run, every: int, patience: int = 0):
        super().__init__(run, every)
        self.patience = patience
        # The line of the best epoch so far; empty before the first measurement.
        self.best: dict[str, float] = {}
        self.since_best = 0

    def measure(self, epoch: int) -> dict[str, float]:
        """The numbers of the model as it is after an epoch, `key` among them."""
        raise NotImplementedError

    def models(self) -> dict[str, keras.Model]:
        """What to write as `models/<name>.keras`, of the model whose measurement has just become `best`."""
        raise NotImplementedError

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.recall()
        last = self.run.metrics()[-1:]
        # Stopped between two measurements, and now asked for as many epochs as it has trained.
        if last and last[0]["epoch"] == self.params["epochs"] and self.key not in last[0]:
            line = {**last[0], **self.measure(int(last[0]["epoch"]))}
            self._keep_if_best(line)
            self.run.replace_last_metrics(line)

    def recall(self) -> None:
        """Reads what was measured before from the run."""
        self.best, self.since_best = {}, 0
        for line in self.run.metrics():
            if self.key in line:
                self._take(line)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if not self.is_due(epoch):
            return
        if not all(math.isfinite(value) for value in logs.values()):
            return  # the recorder ends the run
        measured = self.measure(epoch + 1)
        logs.update(measured)
        self._keep_if_best({"epoch": epoch + 1, **logs})
        if self.is_over:
            print(
                f"\n{self.run.path}: no better {self.title} in {self.since_best} measurements, so training ends here."
            )
            self.model.stop_training = True

    @property
    def is_over(self) -> bool:
        """Whether there has been no better measurement for too long."""
        return bool(self.patience) and self.since_best >= self.patience

    def _keep_if_best(self, line: dict[str, float]) -> None:
        if self._take(line):
            for name, model in self.models().items():
                save_model(self.run, name, model)

    def _take(self, line: dict[str, float]) -> bool:
        """Counts a measurement, and says whether it is the best so far."""
        better = self.is_better(line[self.key])
        self.best, self.since_best = (line, 0) if better else (self.best, self.since_best + 1)
        return better

    def is_better(self, value: float, by: float = 0.0) -> bool:
        """Whether a value of `key` is better than the best so far by more than `by`."""
        if not self.best:
            return True
        gain = value - self.best[self.key]
        return (gain if self.higher_is_better else -gain) > by
