"""The workloads: whole training steps, written once and run with ``T`` = ndl or torch.

A workload is a function ``make(T)`` that returns ``step()``; the step runs one batch through forward pass, loss,
backward pass and optimiser, and returns the loss. Inputs and initial weights come from NumPy, equal for both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

WORKLOADS: dict[str, Callable[[Any], Callable[[], float]]] = {}


def workload(name: str) -> Callable:
    """Register a workload under its name."""

    def register(make: Callable) -> Callable:
        WORKLOADS[name] = make
        return make

    return register


def equal_weights(T: Any, model: Any, seed: int = 0) -> Any:
    """Overwrite the parameters with the same numbers in both libraries, scaled as Kaiming asks."""
    rng = np.random.default_rng(seed)
    with T.no_grad():
        for p in model.parameters():
            shape = tuple(p.shape)
            if len(shape) > 1:
                fan_in = int(np.prod(shape[1:]))
                values = rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)
                p.copy_(T.from_numpy(values.astype(np.float32)))
    return model


def classifier_step(T: Any, model: Any, shape: tuple, optimizer: Any, batches: int = 4) -> Callable[[], float]:
    """A step of supervised classification over a few batches that are made once."""
    rng = np.random.default_rng(1)
    data = [
        (
            T.from_numpy(rng.standard_normal(shape).astype(np.float32)),
            T.from_numpy(rng.integers(0, 10, shape[0])),
        )
        for _ in range(batches)
    ]
    loss_function = T.nn.CrossEntropyLoss()
    count = 0

    def step() -> float:
        nonlocal count
        x, t = data[count % batches]
        count += 1
        optimizer.zero_grad()
        loss = loss_function(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _sgd(T: Any, model: Any, lr: float = 0.01) -> Any:
    return T.optim.SGD(model.parameters(), lr=lr, momentum=0.9)


def mlp(T: Any, sizes: list[int]) -> Any:
    """Linear layers with ReLU between them."""
    layers: list = []
    for n, m in itertools.pairwise(sizes):
        layers += [T.nn.Linear(n, m), T.nn.ReLU()]
    return equal_weights(T, T.nn.Sequential(*layers[:-1]))


@workload("mlp 784-50-20-10, batch 100")
def small_mlp(T: Any) -> Callable[[], float]:
    model = mlp(T, [784, 50, 20, 10])
    return classifier_step(T, model, (100, 784), _sgd(T, model))


@workload("mlp 784-1024-1024-10, batch 256")
def wide_mlp(T: Any) -> Callable[[], float]:
    model = mlp(T, [784, 1024, 1024, 10])
    return classifier_step(T, model, (256, 784), _sgd(T, model))


def classic_cifar(T: Any) -> Any:
    """The original's network: conv 3→8→16→32 with ReLU and pooling, then 512-128-64-10."""
    nn = T.nn
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    return equal_weights(T, model)


@workload("classic CIFAR network, batch 16")
def classic_16(T: Any) -> Callable[[], float]:
    model = classic_cifar(T)
    return classifier_step(T, model, (16, 3, 32, 32), _sgd(T, model, 0.001))


@workload("classic CIFAR network, batch 128")
def classic_128(T: Any) -> Callable[[], float]:
    model = classic_cifar(T)
    return classifier_step(T, model, (128, 3, 32, 32), _sgd(T, model, 0.001))


def vgg(T: Any) -> Any:
    """3-64-64-M-128-128-M-256-256-M-10 with BatchNorm."""
    nn = T.nn
    layers: list = []
    channels = 3
    for width in (64, 64, "M", 128, 128, "M", 256, 256, "M"):
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = int(width)
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)]
    return equal_weights(T, nn.Sequential(*layers))


@workload("VGG-like, batch 64")
def vgg_64(T: Any) -> Callable[[], float]:
    model = vgg(T)
    return classifier_step(T, model, (64, 3, 32, 32), _sgd(T, model))


def resnet(T: Any) -> Any:
    """32 channels, then residual blocks 32, 64 with stride 2, 128 with stride 2."""
    nn = T.nn

    class Block(nn.Module):
        def __init__(self, n: int, m: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(n, m, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(m)
            self.conv2 = nn.Conv2d(m, m, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(m)
            self.relu = nn.ReLU(inplace=True)
            self.shortcut = nn.Sequential()
            if stride != 1 or n != m:
                self.shortcut = nn.Sequential(nn.Conv2d(n, m, 1, stride, bias=False), nn.BatchNorm2d(m))

        def forward(self, x: Any) -> Any:
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += self.shortcut(x)
            return self.relu(out)

    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
        Block(32, 32, 1), Block(32, 64, 2), Block(64, 128, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    return equal_weights(T, model)


@workload("ResNet-like, batch 64")
def resnet_64(T: Any) -> Callable[[], float]:
    model = resnet(T)
    return classifier_step(T, model, (64, 3, 32, 32), _sgd(T, model))


def gpt(T: Any, width: int, heads: int, layers: int, context: int, symbols: int) -> Any:
    """A decoder-only transformer, as nanoGPT has it."""
    nn, F = T.nn, T.nn.functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            n, t, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).split(width, dim=2)
            q, k, v = (a.view(n, t, heads, width // heads).transpose(1, 2) for a in (q, k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).contiguous().view(n, t, width))
            return x + self.mlp(self.norm2(x))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.symbols, self.places = nn.Embedding(symbols, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, symbols, bias=False)

        def forward(self, x: Any) -> Any:
            h = self.symbols(x) + self.places(T.arange(x.shape[1]))
            return self.head(self.norm(self.blocks(h)))

    return GPT()


def language_step(T: Any, model: Any, optimizer: Any, batch: int, length: int, symbols: int) -> Callable[[], float]:
    """A step of next-symbol prediction on random symbols."""
    rng = np.random.default_rng(1)
    text = T.from_numpy(rng.integers(0, symbols, (batch, length + 1)))
    x, t = text[:, :-1], text[:, 1:].reshape(-1)

    def step() -> float:
        optimizer.zero_grad()
        loss = T.nn.functional.cross_entropy(model(x).reshape(-1, symbols), t)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


@workload("transformer, 4 layers, width 128, 4 heads, context 64, batch 12")
def transformer(T: Any) -> Callable[[], float]:
    T.manual_seed(0)
    model = gpt(T, 128, 4, 4, 64, 65)
    return language_step(T, model, T.optim.AdamW(model.parameters(), lr=1e-3), 12, 64, 65)


@workload("LSTM language model, 64→256, 64 steps, batch 32")
def lstm(T: Any) -> Callable[[], float]:
    nn = T.nn

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.symbols, self.head = nn.Embedding(65, 64), nn.Linear(256, 65)
            self.lstm = nn.LSTM(64, 256, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(self.symbols(x))[0])

    T.manual_seed(0)
    model = Model()
    return language_step(T, model, T.optim.Adam(model.parameters(), lr=2e-3), 32, 64, 65)
