"""A transformer learns to write like Shakespeare, character by character: python experiments/shakespeare_gpt.py [ROOT]

ROOT is the folder of Tiny Shakespeare, the data root it is in, or any text file.

x (N, T) characters -> a decoder-only transformer -> logits (N, T, V) for the character after each; loss: cross-entropy.
The model is a GPT, or with --model llama one with rotary positions, SwiGLU and RMSNorm. The default is nanoGPT's small
setting for a CPU with twice its learning rate: A. Karpathy, github.com/karpathy/nanoGPT.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not

from experiments.language_model import main, one_cycle
from experiments.models.gpt import GPT
from experiments.models.llama import Llama
from experiments.program import SCHEDULES, positive
from ndl import nn, optim

MODELS = ("gpt", "llama")


def build(vocab_size: int, settings: dict[str, Any]) -> nn.Module:
    """The model these settings ask for."""
    sizes = (vocab_size, settings["block_size"], settings["layers"], settings["heads"], settings["width"])
    if settings["model"] == "llama":
        return Llama(*sizes, groups=settings["groups"])
    return GPT(*sizes, bias=settings["bias"], dropout=settings["dropout"])


def warmup_and_cosine(model: nn.Module, settings: dict[str, Any]) -> tuple[optim.Optimizer, Any]:
    """Weight decay for matrices only; with the schedule cosine, a learning rate that grows evenly for ``warmup`` steps
    and then falls as a cosine to ``min_lr``.
    """
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    optimizer, scheduler = one_cycle(groups, settings)
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (settings["momentum"], settings["beta2"])
    if settings["schedule"] != "cosine":
        return optimizer, scheduler
    warmup, steps = settings["warmup"], settings["epochs"] * settings["steps"]
    least = settings["min_lr"] / (settings["lr"] or 1)  # a rate of 0 stays 0

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return least + (1 - least) * (1 + math.cos(math.pi * done)) / 2

    return optimizer, optim.lr_scheduler.LambdaLR(optimizer, factor)


def unused(settings: dict[str, Any]) -> dict[str, str]:
    """Settings that change nothing beside the others, and what they count with."""
    found = {"groups": "--model llama"}
    if settings["model"] == "llama":
        found = {"bias": "--model gpt", "dropout": "--model gpt"}
    if settings["schedule"] != "cosine":
        found |= {"warmup": "--schedule cosine", "min_lr": "--schedule cosine"}
    if settings["optimizer"] == "sgd":
        found["beta2"] = "--optimizer adam or adamw"
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only these models can be asked for."""
    parser.add_argument("--model", choices=MODELS)
    parser.add_argument("--layers", type=positive, help="blocks")
    parser.add_argument("--heads", type=positive, help="of attention, in each block")
    parser.add_argument("--groups", type=positive, help="heads of keys and values (llama)")
    parser.add_argument("--width", type=positive, help="numbers that stand for a character")
    parser.add_argument("--bias", action=argparse.BooleanOptionalAction, help="biases in all layers (gpt)")
    parser.add_argument("--dropout", type=float, help="of embeddings, attention and both blocks' results (gpt)")
    parser.add_argument("--warmup", type=int, metavar="STEPS", help="in which the learning rate grows")
    parser.add_argument("--min-lr", type=float, help="learning rate at the end")
    parser.add_argument("--beta2", type=float, help="of adam and adamw, whose beta1 is the momentum")


if __name__ == "__main__":
    DEFAULT = {
        "model": "gpt",
        "layers": 4,
        "heads": 4,
        "groups": 4,
        "width": 128,
        "bias": False,
        "dropout": 0.0,
        "block_size": 64,
        "batch_size": 12,
        "epochs": 8,
        "steps": 250,
        "optimizer": "adamw",
        "schedule": "cosine",
        "lr": 0.002,
        "min_lr": 0.0001,
        "warmup": 100,
        "momentum": 0.9,
        "beta2": 0.99,
        "weight_decay": 0.1,
        "clip": 1.0,
        "seed": 0,
    }
    PRESETS = {
        "default": DEFAULT,
        # The learning rate that nanoGPT's readme gives, for which 2,000 steps are few.
        "nanogpt": {**DEFAULT, "lr": 0.001},
        # Larger and slower: the validation loss goes on falling for longer than the small one can follow.
        "best": {
            **DEFAULT,
            "lr": 0.001,
            "layers": 6,
            "heads": 6,
            "groups": 6,
            "width": 192,
            "dropout": 0.1,
            "block_size": 128,
            "batch_size": 32,
            "epochs": 20,
        },
    }
    sys.exit(
        main(
            __doc__,
            PRESETS,
            build,
            "A transformer on Tiny Shakespeare",
            "runs/shakespeare_gpt.pt",
            add_options,
            configure=warmup_and_cosine,
            schedules=(*SCHEDULES, "cosine"),
            unused=unused,
        )
    )
