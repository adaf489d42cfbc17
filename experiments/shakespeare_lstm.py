"""An LSTM learns to write like Shakespeare, character by character: python experiments/shakespeare_lstm.py [ROOT]

ROOT is the folder of Tiny Shakespeare, the data root it is in, or any text file.

x (N, T) characters -> embedding (N, T, E) -> LSTM (N, T, H) -> logits (N, T, V) for the character after each;
loss: cross-entropy. After A. Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not

import ndl
from experiments.language_model import main
from experiments.program import positive
from ndl import nn


class CharacterLSTM(nn.Module):
    """Logits for the next character, from all characters of the window so far."""

    def __init__(self, vocab_size: int, embedding: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding)
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.logits = nn.Linear(hidden, vocab_size)

    def forward(self, x: ndl.Tensor) -> ndl.Tensor:
        h, _ = self.lstm(self.embedding(x))  # (N, T, H)
        return self.logits(self.dropout(h))  # (N, T, V)


def build(vocab_size: int, settings: dict[str, Any]) -> CharacterLSTM:
    """The model these settings ask for."""
    return CharacterLSTM(vocab_size, settings["embedding"], settings["hidden"], settings["layers"], settings["dropout"])


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this model can be asked for."""
    parser.add_argument("--embedding", type=positive, help="numbers that stand for a character")
    parser.add_argument("--hidden", type=positive, help="size of h and c")
    parser.add_argument("--layers", type=positive, help="LSTMs one on the other")
    parser.add_argument("--dropout", type=float, help="between layers and before the logits")


if __name__ == "__main__":
    PRESETS = {
        "default": {
            "embedding": 64,
            "hidden": 256,
            "layers": 1,
            "dropout": 0.0,
            "block_size": 64,
            "batch_size": 32,
            "epochs": 8,
            "steps": 250,
            "optimizer": "adam",
            "schedule": "onecycle",
            "lr": 0.005,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "clip": 1.0,
            "seed": 0,
        },
        # Larger and slower, with as many characters in a window as char-rnn has.
        "best": {
            "embedding": 64,
            "hidden": 512,
            "layers": 2,
            "dropout": 0.3,
            "block_size": 128,
            "batch_size": 64,
            "epochs": 20,
            "steps": 250,
            "optimizer": "adam",
            "schedule": "onecycle",
            "lr": 0.003,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "clip": 1.0,
            "seed": 0,
        },
    }
    sys.exit(main(__doc__, PRESETS, build, "LSTM on Tiny Shakespeare", "runs/shakespeare_lstm.pt", add_options))
