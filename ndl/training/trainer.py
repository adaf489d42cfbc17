"""``Trainer``: the training loop, and what surrounds it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.nn.cross_entropy import cross_entropy
from ndl.nn.module import Module
from ndl.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from ndl.optim.optimizer import Optimizer
from ndl.training import checkpoint as checkpoints
from ndl.training.evaluation import Evaluation, count_correct, evaluate
from ndl.training.history import EpochRecord, History, RunningEpoch
from ndl.training.interruption import Interruption, TrainingInterrupted
from ndl.training.report import Progress, accuracy_lines, epoch_line, resources_line

__all__ = ["Trainer"]


class Trainer:
    """Trains ``model`` on the batches ``(x, y)`` of ``train`` and tests it on those of ``test`` after each epoch.

        trainer = Trainer(model, optimizer, train=train_loader, test=test_loader, checkpoint="runs/net.pt")
        history = trainer.fit(epochs=10)

    Args:
        model, optimizer: with the optimiser over the model's parameters.
        loss: ``loss(model(x), y)``, a mean over the batch.
        scheduler: of the optimiser's learning rate.
        train: a DataLoader, or anything else that can be iterated over once for each epoch.
        test: the same for evaluation; None: no evaluation.
        scheduler_steps: "epoch" or "batch": after which of them the scheduler takes a step.
        classes: names for the lines about single classes.
        transform: applied to each training x; for data augmentation.
        checkpoint: a file that is written after each epoch and at Ctrl-C; None: no file.
        settings: anything plain that should stand in the checkpoint, such as how the model was made.
        progress: whether to print.

    ``resume(file)`` followed by ``fit`` goes on where that checkpoint was written, in the middle of an epoch, too, and
    ends with the same bits as a training that was not stopped. For that, the random numbers must come from ndl's
    default generator or from generators given to the loaders, and the loaders must be made as before.

    To change what a step does (clip gradients, average weights), override ``train_step``; to do something after each
    epoch, override ``after_epoch``.

    Attributes
        epoch: finished epochs.
        batch: finished batches of the running epoch.
        history: a ``History``.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Callable[[Any, Any], Any] = cross_entropy,
        scheduler: LRScheduler | None = None,
        *,
        train: Any,
        test: Any = None,
        scheduler_steps: str = "epoch",
        classes: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        settings: Mapping[str, Any] | None = None,
        progress: bool = True,
    ) -> None:
        if scheduler_steps not in ("epoch", "batch"):
            raise ValueError(f"scheduler_steps is {scheduler_steps!r}; wanted 'epoch' or 'batch'")
        if scheduler_steps == "batch" and isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError("ReduceLROnPlateau looks at the loss of an epoch: give scheduler_steps='epoch'")
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.scheduler = scheduler
        self.scheduler_steps = scheduler_steps
        self.train = train
        self.test = test
        self.classes = classes
        self.transform = transform
        self.checkpoint = checkpoint
        self.settings = dict(settings or {})
        self.progress = Progress(progress)
        self.history = History()
        self.epoch = 0
        self.batch = 0
        self._epochs = 0
        self._running = RunningEpoch()
        self._streams = checkpoints.generators([loader for loader in (train, test) if loader is not None])
        self._epoch_start: list[Any] = []  # where the random streams stood when the running epoch began
        self._owns_file = False

    # -- what one may want to change ---------------------------------------------------------------------------

    def train_step(self, x: Any, y: Any) -> tuple[Tensor, Tensor]:
        """One step on one batch; returns the loss and the model's output."""
        self.optimizer.zero_grad()
        output = self.model(x)
        loss = self.loss(output, y)
        loss.backward()
        self.optimizer.step()
        return loss, output

    def after_epoch(self, record: EpochRecord) -> None:
        """Called after each epoch and before its checkpoint is written."""

    # -- training ----------------------------------------------------------------------------------------------

    def fit(self, epochs: int) -> History:
        """Train until ``epochs`` epochs are done in all, those before a resume included.

        Raises ``TrainingInterrupted`` (a KeyboardInterrupt) after Ctrl-C, RuntimeError when the loss is no longer a
        finite number, ValueError when the training data has no batches.
        """
        if epochs < 1:
            raise ValueError(f"epochs is {epochs}; wanted 1 or more")
        self._epochs = epochs
        with Interruption() as interruption:
            try:
                while self.epoch < epochs:
                    self._train_epoch(interruption)
                    self._end_epoch(self._evaluate(interruption), interruption)
                    interruption.check()
            except Interruption.Stop:
                self._save(interruption)
                raise TrainingInterrupted(self._how_to_resume()) from None
            finally:
                self.progress.end()
        self._report()
        return self.history

    def evaluate(self) -> Evaluation:
        """Loss and accuracy on the test data."""
        if self.test is None:
            raise ValueError("this Trainer has no test data: give it as test=")
        return evaluate(self.model, self.test, self.loss)

    def _train_epoch(self, interruption: Interruption) -> None:
        self.model.train()
        running, history, transform = self._running, self.history, self.transform
        batches = self._batches()
        steps = len(self.train) if hasattr(self.train, "__len__") else None
        self.progress.begin(f"Epoch {self.epoch + 1}/{self._epochs}", steps, self.batch)
        before = time.perf_counter()
        for x, y in batches:
            loss, output = self.train_step(x if transform is None else transform(x), y)
            if self.scheduler is not None and self.scheduler_steps == "batch":
                self.scheduler.step()
            value = loss.item()
            if not math.isfinite(value):
                raise RuntimeError(self._no_longer_finite(value))
            running.add(value, len(y), count_correct(output, y))
            history.losses.append(value)
            self.batch += 1
            self.progress.step(self.batch, running.smooth)
            now = time.perf_counter()
            running.seconds += now - before
            before = now
            interruption.check()
        self.progress.end()
        if self.batch == 0:
            raise ValueError("there is nothing to train on: the training data has no batches")

    def _batches(self) -> Any:
        """The batches of the running epoch that are still to do, in the order they would have had."""
        if self.batch == 0:
            self._epoch_start = checkpoints.random_state(self._streams)
            return iter(self.train)
        now = checkpoints.random_state(self._streams)
        checkpoints.set_random_state(self._streams, self._epoch_start)
        batches = iter(self.train)
        for done in range(self.batch):
            if next(batches, None) is None:
                raise ValueError(
                    f"the checkpoint was written after {self.batch} batches of an epoch, but the training data has only "
                    f"{done}: resume with the same data and batch size"
                )
        checkpoints.set_random_state(self._streams, now)
        return batches

    def _evaluate(self, interruption: Interruption) -> Evaluation | None:
        if self.test is None:
            return None
        before = checkpoints.random_state(self._streams)
        try:
            return evaluate(self.model, self.test, self.loss, after_batch=interruption.check)
        except Interruption.Stop:  # the evaluation will be done again, so it must not have drawn anything
            checkpoints.set_random_state(self._streams, before)
            raise

    def _end_epoch(self, result: Evaluation | None, interruption: Interruption) -> None:
        running = self._running
        if running.examples == 0:
            raise ValueError("there is nothing to train on: all batches of the training data are empty")
        record = EpochRecord(
            epoch=self.epoch + 1,
            train_loss=running.loss / running.examples,
            train_accuracy=None if running.correct is None else running.correct / running.examples,
            test_loss=result.loss if result else None,
            test_accuracy=result.accuracy if result else None,
            class_accuracy=result.class_accuracy if result else [],
            learning_rate=float(self.optimizer.param_groups[0]["lr"]),
            seconds=running.seconds,
        )
        if self.scheduler is not None and self.scheduler_steps == "epoch":
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step(record.train_loss if record.test_loss is None else record.test_loss)
            else:
                self.scheduler.step()
        self.history.epochs.append(record)
        self.epoch += 1
        self.batch = 0
        self._running = RunningEpoch(smooth=running.smooth)
        self.progress.say(epoch_line(record, self._epochs))
        if self.epoch < self._epochs:
            for line in accuracy_lines(record, self.classes, each_class=False):
                self.progress.say(line)
        self.after_epoch(record)
        self._save(interruption)

    def _report(self) -> None:
        for line in accuracy_lines(self.history.epochs[-1], self.classes, each_class=True):
            self.progress.say(line)
        self.progress.say(resources_line(self.history))

    def _no_longer_finite(self, value: float) -> str:
        kept = ""
        if self.checkpoint is not None and self._owns_file:
            kept = f" The checkpoint {os.fspath(self.checkpoint)} is from before that."
        return (
            f"the loss is {value} in epoch {self.epoch + 1}, batch {self.batch + 1}. Use a smaller learning rate, and "
            f"look for inputs or targets that are nan or infinite.{kept}"
        )

    # -- checkpoints -------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on bit for bit; its tensors are those in use, not copies."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "random": checkpoints.random_state(self._streams),
            "epoch_start": self._epoch_start,
            "epoch": self.epoch,
            "epochs": self._epochs,
            "batch": self.batch,
            "running": vars(self._running).copy(),
            "history": self.history.state_dict(),
            "settings": self.settings,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state_dict`` was called.

        Raises RuntimeError or ValueError if the model, the optimiser, the scheduler or the generators do not fit.
        """
        missing = {
            "model",
            "optimizer",
            "scheduler",
            "random",
            "epoch_start",
            "epoch",
            "batch",
            "history",
        } - state.keys()
        if missing:
            raise ValueError(f"this is not the state of a Trainer: it lacks {sorted(missing)}")
        if (state["scheduler"] is None) != (self.scheduler is None):
            raise ValueError(
                "the checkpoint was made "
                + ("without a scheduler" if state["scheduler"] is None else "with a scheduler")
                + ", this training is not: make both alike"
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        checkpoints.set_random_state(self._streams, state["random"])
        self._epoch_start = state["epoch_start"]
        self.epoch, self._epochs, self.batch = state["epoch"], state["epochs"], state["batch"]
        self._running = RunningEpoch(**state["running"])
        self.history.load_state_dict(state["history"])

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go on from a checkpoint file. If ``checkpoint`` was not given, it is written to the same file.

        Raises RuntimeError for a damaged file, ValueError for one that is no checkpoint.
        """
        self.load_state_dict(checkpoints.read_checkpoint(path))
        if self.checkpoint is None:
            self.checkpoint = path
        self._owns_file = os.path.realpath(self.checkpoint) == os.path.realpath(path)

    def _save(self, interruption: Interruption) -> None:
        """Write the checkpoint. A file that is there and holds an unfinished training is kept under another name."""
        if self.checkpoint is None:
            return
        interruption.saving = True
        try:
            if not self._owns_file and checkpoints.unfinished(self.checkpoint):
                kept = checkpoints.set_aside(self.checkpoint)
                self.progress.say(
                    f"{os.fspath(self.checkpoint)} was not from a finished training; it is kept as {kept}"
                )
            checkpoints.write_checkpoint(self.checkpoint, self.state_dict())
            self._owns_file = True
        finally:
            interruption.saving = False

    def _how_to_resume(self) -> str:
        where = f"Interrupted in epoch {self.epoch + 1} of {self._epochs}, after batch {self.batch}."
        if self.epoch >= self._epochs:
            where = f"Interrupted after the last of {self._epochs} epochs."
        if self.checkpoint is None:
            return f"{where} Nothing was saved, since no checkpoint file was named."
        name = os.fspath(self.checkpoint)
        return (
            f"{where} Saved as {name}; to go on from there: --resume {name} (in a program of your own, Trainer.resume)."
        )
