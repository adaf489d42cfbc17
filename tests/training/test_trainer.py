"""The training loop: what it computes, counts and says, and that stopping it changes no bit."""

import math
import os
import re
import signal

import numpy as np
import pytest
import torch

import ndl
from ndl import nn, optim
from ndl.training import Trainer, TrainingInterrupted, evaluate
from ndl.utils.data import DataLoader, TensorDataset
from ndl.utils.serialization import load, save


def points(n=96, seed=0):
    """Points of the plane in three classes that a small network can learn."""
    x = np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0.5)
    return TensorDataset(ndl.from_numpy(x), ndl.from_numpy(y))


def make(epochs=4, seed=5, cls=Trainer, schedule="onecycle", generator=None, **options):
    """A training with everything that has a state: momentum, running statistics, random zeros, a schedule."""
    ndl.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
    optimizer = optim.AdamW(model.parameters(), lr=0.02)
    train = DataLoader(points(), batch_size=20, shuffle=True, generator=generator)
    test = DataLoader(points(50, 1), batch_size=20)
    scheduler = {
        "onecycle": lambda: optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=epochs * len(train) + 1),
        "step": lambda: optim.lr_scheduler.StepLR(optimizer, 1, 0.5),
        "plateau": lambda: optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.5),
        None: lambda: None,
    }[schedule]()
    steps = "batch" if schedule == "onecycle" else "epoch"
    options = {"progress": False, **options}
    return cls(model, optimizer, scheduler=scheduler, scheduler_steps=steps, train=train, test=test, **options)


def bits(obj):
    """Everything in a state except times, in a form that compares bit for bit."""
    if isinstance(obj, ndl.Tensor):
        return str(obj.dtype), tuple(obj.shape), obj.detach().numpy().tobytes()
    if isinstance(obj, dict):
        return {k: bits(v) for k, v in obj.items() if k != "seconds"}
    if isinstance(obj, (list, tuple)):
        return [bits(v) for v in obj]
    return np.float64(obj).tobytes() if isinstance(obj, float) else obj


class StopsAt(Trainer):
    """Presses Ctrl-C by itself: in training step ``stop_at``, or (``stop_in``) in an evaluation."""

    stop_at = stop_in = None
    steps = 0

    def train_step(self, x, y):
        self.steps += 1
        if self.steps == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        return super().train_step(x, y)

    def _evaluate(self, interruption):
        if self.epoch + 1 == self.stop_in:
            os.kill(os.getpid(), signal.SIGINT)
        return super()._evaluate(interruption)

    def after_epoch(self, record):
        if record.epoch == -(self.stop_in or 0):
            os.kill(os.getpid(), signal.SIGINT)


# -- the loop ----------------------------------------------------------------------------------------------


def test_the_loop_is_the_one_a_pytorch_program_would_write():
    ndl.manual_seed(1)
    model = nn.Linear(2, 3)
    twin = torch.nn.Linear(2, 3)
    with torch.no_grad():
        for ours, theirs in zip(model.parameters(), twin.parameters()):
            theirs.copy_(torch.from_numpy(ours.detach().numpy().copy()))
    train = DataLoader(points(), batch_size=20)
    Trainer(model, optim.SGD(model.parameters(), 0.1, momentum=0.9), train=train, progress=False).fit(3)
    optimizer = torch.optim.SGD(twin.parameters(), 0.1, momentum=0.9)
    for _ in range(3):
        for x, y in train:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(twin(torch.from_numpy(x.numpy())), torch.from_numpy(y.numpy())).backward()
            optimizer.step()
    for ours, theirs in zip(model.parameters(), twin.parameters()):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_figures_of_an_epoch():
    trainer = make(schedule=None)
    history = trainer.fit(3)
    assert [r.epoch for r in history.epochs] == [1, 2, 3] and len(history.losses) == 15
    sizes = [20, 20, 20, 20, 16]
    assert history.epochs[1].train_loss == pytest.approx(np.dot(history.losses[5:10], sizes) / 96)
    result = trainer.evaluate()
    last = history.epochs[-1]
    assert (last.test_loss, last.test_accuracy, last.class_accuracy) == (
        result.loss, result.accuracy, result.class_accuracy
    )  # fmt: skip
    assert history.seconds == sum(r.seconds for r in history.epochs) > 0


def test_evaluation_counts_by_hand():
    model = nn.Sequential(nn.Identity(), nn.Dropout(0.9))
    model[0].eval()
    scores = np.eye(4, dtype=np.float32)[[0, 1, 1, 3, 0]] * 9
    labels = np.array([0, 1, 0, 3, 0])
    batches = [(ndl.from_numpy(scores[i : i + 2]), ndl.from_numpy(labels[i : i + 2])) for i in (0, 2, 4)]
    result = evaluate(model, batches, nn.functional.cross_entropy)
    assert result.accuracy == 4 / 5 and result.class_accuracy == [2 / 3, 1.0, None, 1.0]
    expected = torch.nn.functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(labels)).item()
    assert result.loss == pytest.approx(expected, rel=1e-6)
    assert model.training and model[1].training and not model[0].training  # as before
    with pytest.raises(ValueError, match="no batches"):
        evaluate(model, [], nn.functional.cross_entropy)


def test_regression_has_no_accuracy(capsys):
    x = ndl.randn(12, 2)
    model = nn.Linear(2, 1)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), 4)
    optimizer = optim.SGD(model.parameters(), 0.1)
    history = Trainer(model, optimizer, nn.functional.mse_loss, train=loader, test=loader).fit(5)
    assert history.epochs[-1].test_accuracy is None and history.epochs[-1].train_accuracy is None
    assert history.epochs[-1].test_loss < history.epochs[0].test_loss
    assert "ccuracy" not in capsys.readouterr().out


def test_what_is_printed(capsys):
    make(progress=True, classes=["plane", "car", "bird"], schedule="step").fit(2)
    lines = capsys.readouterr().out.splitlines()
    expected = [
        r"Epoch 1/2: train loss \d\.\d{4}, train accuracy [01]\.\d{3}, test loss \d\.\d{4}, learning rate 0.02, \d\.\d\d s",
        r"Test accuracy after 1 epoch: [01]\.\d{3}",
        r"Epoch 2/2: train loss .* learning rate 0.01, .* s",
        r"Test accuracy after 2 epochs: [01]\.\d{3}",
        *(rf"Accuracy of {name}: [01]\.\d{{3}}" for name in ("plane", "car", "bird")),
        r"Training time \d+\.\d s; peak memory \d+ MiB",
    ]
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected):
        assert re.fullmatch(pattern, line), (line, pattern)
    make().fit(1)
    assert capsys.readouterr().out == ""


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    make(progress=True).fit(1)
    seen = capsys.readouterr()
    assert re.search(r"Epoch 1/1: .*0/5 .*batch/s", seen.err)
    assert "Test accuracy after 1 epoch" in seen.out


def test_schedulers_step_after_batches_or_epochs():
    assert [r.learning_rate for r in make(schedule="step").fit(3).epochs] == [0.02, 0.01, 0.005]
    trainer = make(schedule="onecycle")
    trainer.fit(4)
    assert trainer.scheduler.last_epoch == 20
    rates = [r.learning_rate for r in make(schedule="plateau").fit(4).epochs]
    assert rates[0] == 0.02 and rates[-1] < 0.02
    with pytest.raises(ValueError, match="wanted 'epoch' or 'batch'"):
        Trainer(nn.Linear(1, 1), None, train=[], scheduler_steps="step")


def test_transform_is_for_training_only():
    seen = []
    trainer = make(transform=lambda x: seen.append(len(x)) or x)
    trainer.fit(1)
    assert sum(seen) == 96


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    trainer = make(checkpoint=path)
    trainer.fit(1)
    kept = path.read_bytes()
    with ndl.no_grad():
        trainer.model[0].weight.fill_(math.nan)
    with pytest.raises(RuntimeError, match=r"the loss is nan in epoch 2, batch 1.*run\.pt is from before"):
        trainer.fit(2)
    assert path.read_bytes() == kept


def test_nothing_to_train_on():
    trainer = make()
    trainer.train = []
    with pytest.raises(ValueError, match="no batches"):
        trainer.fit(1)
    with pytest.raises(ValueError, match="wanted 1 or more"):
        trainer.fit(0)
    trainer.test = None
    with pytest.raises(ValueError, match="no test data"):
        trainer.evaluate()


# -- stopping and going on -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uninterrupted():
    """The state after 4 epochs in one go, by schedule."""
    found = {}
    for schedule in ("onecycle", "step", "plateau", None):
        trainer = make(schedule=schedule)
        trainer.fit(4)
        found[schedule] = bits(trainer.state_dict())
    return found


@pytest.mark.parametrize("schedule", ["onecycle", "step", "plateau", None])
def test_two_epochs_and_two_more_are_four(tmp_path, uninterrupted, schedule):
    make(schedule=schedule, checkpoint=tmp_path / "run.pt").fit(2)
    resumed = make(schedule=schedule, seed=99)
    resumed.resume(tmp_path / "run.pt")
    assert (resumed.epoch, resumed.batch, len(resumed.history.epochs)) == (2, 0, 2)
    resumed.fit(4)
    assert bits(resumed.state_dict()) == uninterrupted[schedule]


@pytest.mark.parametrize("stop", [{"stop_at": 1}, {"stop_at": 8}, {"stop_at": 10}, {"stop_in": 2}, {"stop_in": -3}])
def test_ctrl_c_anywhere_changes_no_bit(tmp_path, uninterrupted, stop):
    path = tmp_path / "run.pt"
    trainer = make(cls=StopsAt, checkpoint=path)
    vars(trainer).update(stop)
    with pytest.raises(TrainingInterrupted, match=r"Interrupted .*--resume .*run\.pt"):
        trainer.fit(4)
    state = load(path)
    if "stop_at" in stop:
        assert state["epoch"] * 5 + state["batch"] == stop["stop_at"]
    resumed = make(seed=99)
    resumed.resume(path)
    resumed.fit(4)
    assert bits(resumed.state_dict()) == uninterrupted["onecycle"]


def test_generators_of_the_loaders_are_kept(tmp_path):
    whole = make(generator=ndl.Generator().manual_seed(7))
    whole.fit(3)
    trainer = make(cls=StopsAt, generator=ndl.Generator().manual_seed(7), checkpoint=tmp_path / "run.pt")
    trainer.stop_at = 8
    with pytest.raises(TrainingInterrupted):
        trainer.fit(3)
    resumed = make(generator=ndl.Generator())
    resumed.resume(tmp_path / "run.pt")
    resumed.fit(3)
    assert bits(resumed.state_dict()) == bits(whole.state_dict())
    with pytest.raises(ValueError, match="2 random generators, but this training draws from 1"):
        make().resume(tmp_path / "run.pt")


def test_ctrl_c_without_a_checkpoint_says_so():
    trainer = make(cls=StopsAt)
    trainer.stop_at = 2
    before = signal.getsignal(signal.SIGINT)  # a shell starts background jobs with SIGINT ignored
    with pytest.raises(TrainingInterrupted, match="Nothing was saved"):
        trainer.fit(1)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once_but_not_while_saving(tmp_path, monkeypatch):
    class Impatient(Trainer):
        def train_step(self, x, y):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("not reached")

    with pytest.raises(KeyboardInterrupt) as caught:
        make(cls=Impatient, checkpoint=tmp_path / "none.pt").fit(1)
    assert not isinstance(caught.value, TrainingInterrupted)

    real = ndl.training.checkpoint.save

    def save_under_fire(obj, path):
        os.kill(os.getpid(), signal.SIGINT)
        real(obj, path)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("ndl.training.checkpoint.save", save_under_fire)
    trainer = make(cls=StopsAt, checkpoint=tmp_path / "run.pt")
    trainer.stop_at = 3
    with pytest.raises(TrainingInterrupted):
        trainer.fit(2)
    resumed = make()
    resumed.resume(tmp_path / "run.pt")
    assert resumed.batch == 3


# -- files that are not what they should be ------------------------------------------------------------------


def test_half_a_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    make(checkpoint=path).fit(1)
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    trainer = make()
    before = bits(trainer.state_dict())
    with pytest.raises(RuntimeError, match=r"run\.pt: it is cut short or damaged.*Use another copy"):
        trainer.resume(path)
    assert path.read_bytes() == half and bits(trainer.state_dict()) == before


def test_weights_alone_are_no_checkpoint(tmp_path):
    save(make().model.state_dict(), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"not a checkpoint.*load_state_dict"):
        make().resume(tmp_path / "w.pt")


def test_a_training_made_otherwise_is_refused(tmp_path):
    make(checkpoint=tmp_path / "run.pt").fit(1)
    with pytest.raises(ValueError, match="made with a scheduler"):
        make(schedule=None).resume(tmp_path / "run.pt")
    other = make()
    other.model[4] = nn.Linear(8, 7)
    with pytest.raises(RuntimeError, match=r"size mismatch for 4\.weight"):
        other.resume(tmp_path / "run.pt")


def test_an_unfinished_training_is_not_overwritten_by_another(tmp_path, capsys):
    path = tmp_path / "run.pt"
    trainer = make(cls=StopsAt, checkpoint=path)
    trainer.stop_at = 3
    with pytest.raises(TrainingInterrupted):
        trainer.fit(2)
    unfinished = path.read_bytes()
    make(checkpoint=path, progress=True).fit(1)
    assert (tmp_path / "run.kept-1.pt").read_bytes() == unfinished
    assert "it is kept as" in capsys.readouterr().out
    make(checkpoint=path).fit(1)  # a finished one makes room
    assert sorted(os.listdir(tmp_path)) == ["run.kept-1.pt", "run.pt"]


def test_pytorch_reads_a_checkpoint(tmp_path):
    trainer = make(checkpoint=tmp_path / "run.pt", settings={"lr": 0.02})
    trainer.fit(1)
    state = torch.load(tmp_path / "run.pt", weights_only=True)
    assert state["settings"] == {"lr": 0.02} and state["epoch"] == 1
    np.testing.assert_array_equal(state["model"]["0.weight"].numpy(), trainer.model[0].weight.detach().numpy())


def test_ignored_labels_count_for_nothing():
    """cross_entropy leaves them out of the loss, and so does the accuracy."""
    x, y = ndl.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]]), ndl.tensor([0, -100, 1])
    result = ndl.training.evaluation.evaluate(ndl.nn.Identity(), [(x, y)], ndl.nn.functional.cross_entropy)
    assert result.accuracy == 0.5 and result.class_accuracy == [1.0, 0.0]


def test_a_plateau_needs_epochs():
    model = ndl.nn.Linear(2, 2)
    optimizer = ndl.optim.SGD(model.parameters())
    plateau = ndl.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="scheduler_steps='epoch'"):
        Trainer(model, optimizer, scheduler=plateau, scheduler_steps="batch", train=[])
