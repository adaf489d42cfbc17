"""What the character language models share: windows of text, the loss, sampling, and the program around the training.

x (N, T) characters -> model -> logits (N, T, V) for the character after each; loss: cross-entropy.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ndl
from experiments.program import (
    SCHEDULES,
    Presets,
    Unused,
    make_optimizer,
    momentum_of_sgd,
    option_parser,
    parsed,
    positive,
    resume,
    run,
    told,
)
from ndl import nn, optim
from ndl.datasets import CharacterText, Shakespeare
from ndl.nn.functional import cross_entropy
from ndl.training import Trainer, draw_curves

Build = Callable[[int, dict[str, Any]], nn.Module]  # (size of the vocabulary, settings) -> model
Configure = Callable[[nn.Module, dict[str, Any]], tuple[optim.Optimizer, Any]]  # -> optimiser, scheduler or None
Pair = tuple[ndl.Tensor, ndl.Tensor]


# -- data ------------------------------------------------------------------------------------------------------


def splits(root: Path | None, block_size: int) -> tuple[CharacterText, CharacterText]:
    """The first nine tenths to train on and the rest to validate: of any text file, or of Tiny Shakespeare in a folder."""
    if root is not None and root.is_file():
        content = root.read_text("utf-8")
        return CharacterText(content, "train", block_size), CharacterText(content, "val", block_size)
    return Shakespeare(root, "train", block_size), Shakespeare(root, "val", block_size)


def get_batch(text: CharacterText, batch_size: int, generator: ndl.Generator | None = None) -> Pair:
    """Windows x (N, T) that begin at random characters, and the characters y (N · T) that follow each of theirs."""
    starts = ndl.randint(len(text), (batch_size,), generator=generator).numpy()
    x, y = text.arrays()
    return ndl.from_numpy(x[starts]), ndl.from_numpy(y[starts].reshape(-1))


class RandomWindows:
    """So many random batches: what one epoch trains on. A text has no natural end of an epoch."""

    def __init__(self, text: CharacterText, batch_size: int, steps: int) -> None:
        self.text, self.batch_size, self.steps = text, batch_size, steps

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Pair]:
        for _ in range(self.steps):
            yield get_batch(self.text, self.batch_size)


class EveryWindow:
    """The whole text once, window after window: what the validation loss is a mean over."""

    def __init__(self, text: CharacterText, batch_size: int = 128) -> None:
        self.text, self.batch_size = text, batch_size

    def __iter__(self) -> Iterator[Pair]:
        x, y = (windows[:: self.text.block_size] for windows in self.text.arrays())
        for start in range(0, len(x), self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield ndl.from_numpy(x[rows].copy()), ndl.from_numpy(y[rows].reshape(-1))


# -- model -----------------------------------------------------------------------------------------------------


def next_character_loss(logits: ndl.Tensor, y: ndl.Tensor) -> ndl.Tensor:
    """Mean cross-entropy in nats: logits (N, T, V), y (N · T)."""
    return cross_entropy(logits.flatten(0, 1), y)


class LanguageTrainer(Trainer):
    """A Trainer that scales the gradient down where its norm is above ``settings["clip"]`` (0: never)."""

    def train_step(self, x: Any, y: Any) -> tuple[ndl.Tensor, ndl.Tensor]:
        self.optimizer.zero_grad()
        logits = self.model(x)
        loss = self.loss(logits, y)
        loss.backward()
        if self.settings["clip"]:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings["clip"])
        self.optimizer.step()
        return loss, logits


def generate(
    model: nn.Module,
    start: ndl.Tensor,
    length: int,
    block_size: int,
    temperature: float = 1.0,
    generator: ndl.Generator | None = None,
) -> ndl.Tensor:
    """``length`` characters after those of ``start`` (N, T), each drawn from softmax(logits / temperature).

    The model, which is put into evaluation mode, sees the last ``block_size`` characters. Returns (N, T + length).
    """
    text = start
    model.eval()
    with ndl.no_grad():
        for _ in range(length):
            logits = model(text[:, -block_size:])[:, -1]  # (N, V)
            chances = (logits / temperature).softmax(-1)
            text = ndl.cat([text, ndl.multinomial(chances, 1, generator=generator)], 1)
    return text


# -- program ---------------------------------------------------------------------------------------------------


def one_cycle(parameters: Any, settings: dict[str, Any]) -> tuple[optim.Optimizer, Any]:
    """The optimiser of the settings over these, and the one cycle of its learning rate, if they ask for one."""
    optimizer = make_optimizer(parameters, settings)
    if settings["schedule"] != "onecycle":
        return optimizer, None
    steps = settings["epochs"] * settings["steps"]
    return optimizer, optim.lr_scheduler.OneCycleLR(
        optimizer, settings["lr"], total_steps=steps + 1, pct_start=0.05, cycle_momentum=False
    )


def over_all(model: nn.Module, settings: dict[str, Any]) -> tuple[optim.Optimizer, Any]:
    """``one_cycle`` over all parameters."""
    return one_cycle(model.parameters(), settings)


def learn(
    build: Build,
    settings: dict[str, Any],
    options: argparse.Namespace,
    title: str,
    configure: Configure,
    unused: Unused,
) -> Trainer:
    """Train with these settings, from the start or from a checkpoint, draw curves, print a sample."""
    train_text, val_text = splits(options.root, settings["block_size"])
    ndl.manual_seed(settings["seed"])
    model = build(train_text.vocab_size, settings)
    optimizer, scheduler = configure(model, settings)
    trainer = LanguageTrainer(
        model,
        optimizer,
        next_character_loss,
        scheduler,
        scheduler_steps="batch",
        train=RandomWindows(train_text, settings["batch_size"], settings["steps"]),
        test=EveryWindow(val_text),
        checkpoint=options.checkpoint,
        settings={**settings, "data": "text"},
    )
    resume(trainer, options)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{len(train_text.data):,} characters to train on, {len(val_text.data):,} to validate, ", end="")
    print(f"{train_text.vocab_size} different; {parameters:,} parameters")
    print(told(settings, unused), flush=True)
    trainer.fit(settings["epochs"])
    steps = len(trainer.history.losses)
    print(f"Validation loss after {steps:,} steps: {trainer.history.epochs[-1].test_loss:.4f}")
    if options.curve is not None:
        draw_curves(trainer.history, options.curve, title=title, loss_name="cross-entropy (nats per character)")
        print(f"Curves: {options.curve}")
    if options.sample:
        print(sample(model, train_text, options.sample, settings["seed"], options.temperature))
    return trainer


def sample(model: nn.Module, text: CharacterText, length: int, seed: int, temperature: float) -> str:
    """``length`` characters that the model writes, beginning with a new line (or what comes first in the text)."""
    begin = "\n" if "\n" in text.vocabulary else text.text[0]
    start = ndl.from_numpy(text.encode(begin)[None])
    generator = ndl.Generator()
    generator.manual_seed(seed)
    written = generate(model, start, length, text.block_size, temperature, generator)
    return text.decode(written[0, 1:].tolist())


def main(
    description: str | None,
    presets: Presets,
    build: Build,
    title: str,
    file: str,
    add_options: Callable[[argparse.ArgumentParser], None],
    arguments: list[str] | None = None,
    configure: Configure = over_all,
    schedules: Sequence[str] = SCHEDULES,
    unused: Unused = momentum_of_sgd,
) -> int:
    """Run a language model's program; returns its exit code.

    ``add_options`` adds an option for each setting that only this model has; the checkpoint goes to ``file``;
    ``configure`` makes the optimiser and the scheduler, which is one of ``schedules``; ``unused`` tells which settings
    change nothing.
    """
    parser = option_parser(description, presets, schedules)
    parser.add_argument(
        "root", nargs="?", type=Path, help="a text file, or the folder or data root of Tiny Shakespeare"
    )
    parser.add_argument("--steps", type=positive, help="batches in an epoch, after which the validation loss is taken")
    parser.add_argument("--block-size", type=positive, help="characters in a window")
    parser.add_argument("--clip", type=float, help="largest norm of the gradient; 0: any")
    parser.add_argument("--sample", type=int, default=500, metavar="N", help="characters to write at the end (500)")
    parser.add_argument("--temperature", type=float, default=1.0, help="of the sample; below 1 it is more careful")
    add_options(parser)
    options = parsed(parser, arguments, presets, file, unused)
    if options.clip is not None and not options.clip >= 0:
        parser.error(f"--clip {options.clip}: wanted a number from 0 up")
    if not options.temperature > 0:
        parser.error(f"--temperature {options.temperature}: wanted a number above 0")
    if options.sample < 0:
        parser.error(f"--sample {options.sample}: wanted a number from 0 up")
    return run(presets, options, lambda settings, o: learn(build, settings, o, title, configure, unused))
