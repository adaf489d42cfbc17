"""Names that PyTorch programs use and that change nothing here, or say in a clear error why they are not here."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import ndl
import ndl.optim
from tests.both import same

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@BOTH
def test_backends(T: Any) -> None:
    backends = importlib.import_module(f"{T.__name__}.backends.cudnn")
    before = backends.benchmark, backends.deterministic
    T.backends.cudnn.benchmark, T.backends.cudnn.deterministic = True, True
    assert backends.benchmark is True and T.backends.cudnn.deterministic is True
    backends.benchmark, backends.deterministic = before
    assert not T.backends.mps.is_available() and not T.backends.cuda.is_built()
    T.backends.cuda.matmul.allow_tf32 = T.backends.cuda.matmul.allow_tf32
    assert isinstance(T.backends.mkldnn.is_available(), bool) and isinstance(T.backends.openmp.is_available(), bool)


@BOTH
def test_no_accelerator(T: Any) -> None:
    assert not T.accelerator.is_available() and T.accelerator.device_count() == 0
    assert not T.cuda.is_available() and T.cuda.device_count() == 0
    device = T.accelerator.current_accelerator().type if T.accelerator.is_available() else "cpu"
    assert T.zeros(2).to(device).device.type == "cpu"
    with pytest.raises((RuntimeError, AssertionError)):
        T.zeros(2).cuda()
    assert T.version.cuda is None and T.__version__


def test_cuda_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"Write \.to\(device\)"):
        ndl.zeros(2).cuda()
    with pytest.raises(TypeError, match="NumPy does not have it"):
        ndl.zeros(2).bfloat16()


@BOTH
def test_mixed_precision_that_is_off(T: Any) -> None:
    p = T.ones(2, requires_grad=True)
    optimizer = T.optim.SGD([p], lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch's, about torch.cuda.amp
        scalers = [T.amp.GradScaler(enabled=False), T.cuda.amp.GradScaler(enabled=False)]
        contexts = [T.autocast("cpu", enabled=False), T.cuda.amp.autocast(enabled=False)]
    for scaler, context in zip(scalers, contexts):
        with context:
            loss = (p @ p.T if p.ndim > 1 else (p * p)).sum()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        assert not scaler.is_enabled() and scaler.get_scale() == 1.0 and scaler.state_dict() == {}
    assert p.tolist() == pytest.approx([0.64, 0.64])
    assert T.autocast("cpu", enabled=False)(lambda x: x + 1)(2) == 3


def test_mixed_precision_that_is_on() -> None:
    with pytest.raises(RuntimeError, match="autocast on the CPU is not here"):
        ndl.autocast("cpu")
    with pytest.raises(RuntimeError, match="GradScaler on the CPU is not here"):
        ndl.amp.GradScaler("cpu")
    with pytest.warns(UserWarning, match="'cuda'.*Disabling"), ndl.autocast("cuda"):
        pass
    with pytest.warns(UserWarning, match="'cuda'.*Disabling"):
        assert not ndl.cuda.amp.GradScaler().is_enabled()
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        ndl.autocast(3)  # type: ignore[arg-type]


def test_arguments_are_pytorchs() -> None:
    for name in ("amp.GradScaler", "amp.autocast", "compile", "use_deterministic_algorithms"):
        ours, theirs = ndl, torch
        for part in name.split("."):
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name


def test_compile_gives_back_what_it_got() -> None:
    model = ndl.nn.Linear(2, 2)
    assert ndl.compile(model, mode="max-autotune") is model

    @ndl.compile
    def f(x: int) -> int:
        return x + 1

    @ndl.compile(fullgraph=True)
    def g(x: int) -> int:
        return x + 2

    assert (f(1), g(1)) == (2, 3)
    for refused in (ndl.jit.script, ndl.jit.trace):
        with pytest.raises(RuntimeError, match="ndl runs Python as it is written"):
            refused(model)
    assert ndl.jit.ignore(f) is f and not ndl.jit.is_scripting()


@BOTH
def test_settings_are_remembered(T: Any) -> None:
    before = T.get_float32_matmul_precision()
    T.set_float32_matmul_precision("high")
    assert T.get_float32_matmul_precision() == "high"
    T.set_float32_matmul_precision(before)
    T.use_deterministic_algorithms(True, warn_only=True)
    assert T.are_deterministic_algorithms_enabled() and T.is_deterministic_algorithms_warn_only_enabled()
    T.use_deterministic_algorithms(False)
    assert not T.are_deterministic_algorithms_enabled()
    T.set_default_tensor_type("torch.DoubleTensor")
    assert T.zeros(1).dtype == T.float64
    T.set_default_tensor_type(T.FloatTensor)
    assert T.zeros(1).dtype == T.float32


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="must be 'highest', 'high' or 'medium'"):
        ndl.set_float32_matmul_precision("low")
    with pytest.raises(RuntimeError, match="ndl computes on the CPU"):
        ndl.set_default_device("cuda")
    ndl.set_default_device("cpu")
    with pytest.raises(RuntimeError, match="expects a positive integer"):
        ndl.set_num_interop_threads(0)


TYPES = ["Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"]


@BOTH
@pytest.mark.parametrize("name", TYPES)
def test_typed_tensors(T: Any, name: str) -> None:
    kind = getattr(T, f"{name}Tensor")
    x = kind([1, 0])
    assert isinstance(x, kind) and isinstance(x, T.Tensor) and x.tolist() == [1, 0]
    assert not isinstance(x, T.LongTensor if name != "Long" else T.IntTensor) and not isinstance(3, kind)
    assert tuple(kind(2, 3).shape) == (2, 3) and tuple(kind().shape) == (0,)
    assert T.ones(2).type(kind).dtype == x.dtype == T.ones(2).type(f"torch.{name}Tensor").dtype
    assert x.type().endswith(f".{name}Tensor")
    assert tuple(x.new(4, 1).shape) == (4, 1) and x.new([1]).dtype == x.dtype
    assert getattr(T.ones(2), name.lower())().dtype == x.dtype


def test_bfloat16_can_be_named_but_not_used() -> None:
    chosen = {"float32": ndl.float32, "bfloat16": ndl.bfloat16}["bfloat16"]
    assert chosen is ndl.bfloat16 and ndl.zeros(2).dtype != ndl.bfloat16 and ndl.bfloat16 != ndl.float16
    assert ndl.bfloat16.is_floating_point and repr(ndl.bfloat16) == "ndl.bfloat16"
    assert copy.deepcopy(ndl.bfloat16) is ndl.bfloat16 and pickle.loads(pickle.dumps(ndl.bfloat16)) is ndl.bfloat16
    for use in (lambda: ndl.zeros(2, dtype=ndl.bfloat16), lambda: ndl.zeros(2).to(ndl.bfloat16)):
        with pytest.raises(TypeError, match="bfloat16 is not here, since NumPy does not have it"):
            use()


@BOTH
def test_types_that_are_none(T: Any) -> None:
    with pytest.raises(ValueError, match="invalid type"):
        T.ones(2).type("torch.FlowerTensor")


@BOTH
def test_questions(T: Any) -> None:
    x = T.ones(2, 3)
    assert T.numel(x) == 6 and T.is_tensor(x) and not T.is_tensor(3)
    assert T.is_floating_point(x) and not T.is_floating_point(x.long()) and not T.is_complex(x)
    assert T.is_signed(x) and not T.is_signed(x.byte()) and not T.is_inference(x)
    assert x.is_same_size(T.zeros(2, 3)) and not T.is_same_size(x, x.T) if hasattr(T, "is_same_size") else True
    assert x.layout is T.strided and not x.is_cuda and not x.is_quantized and not x.is_mps and not x.is_shared()
    assert x.untyped_storage().nbytes() == x[1].untyped_storage().nbytes() == 24
    assert x.untyped_storage().data_ptr() == x.data_ptr() and x.share_memory_() is x
    with pytest.raises(TypeError):
        T.numel(3)
    assert T.complex64.is_complex


def test_memory_stays_where_it_is() -> None:
    x = ndl.ones(2)
    assert x.pin_memory() is x and not x.is_pinned() and x.to_dense() is x


@pytest.mark.parametrize(
    ("shape", "wrap"), [((3, 3), False), ((7, 3), False), ((7, 3), True), ((2, 5), True), ((3, 3, 3), False)]
)
def test_fill_diagonal(shape: tuple, wrap: bool) -> None:
    same(lambda T, x: (x * 2).fill_diagonal_(7, wrap=wrap), np.random.default_rng(0).standard_normal(shape))


@BOTH
def test_fill_diagonal_of_what_has_none(T: Any) -> None:
    for shape in ((3,), (2, 3, 2)):
        with pytest.raises(RuntimeError, match="dimensions"):
            T.zeros(shape).fill_diagonal_(1)


@pytest.mark.parametrize("size", [(2, 3, 4), (1, 3, 4), (3, 1), (4,), (1, 1, 1), ()])
def test_sum_to_size(size: tuple) -> None:
    same(lambda T, x: x.sum_to_size(size), np.random.default_rng(0).standard_normal((2, 3, 4)))


@BOTH
def test_sum_to_a_size_that_does_not_broadcast(T: Any) -> None:
    assert tuple(T.ones(2, 3).sum_to_size(1, 3).shape) == (1, 3)
    with pytest.raises(RuntimeError, match="not expandable to size"):
        T.ones(2, 3).sum_to_size(2)


@BOTH
def test_places_that_are_not_there(T: Any) -> None:
    for place in (5, -1):
        i = T.tensor([place])
        for program in (
            lambda i=i: T.zeros(3, 2).index_select(0, i),
            lambda i=i: T.zeros(3).index_add_(0, i, T.ones(1)),
            lambda i=i: T.zeros(3).index_add(0, i, T.ones(1)),
        ):
            with pytest.raises(IndexError):
                program()


def test_saving_to_a_folder_that_is_not_there(tmp_path: Any) -> None:
    for T in (ndl, torch):
        with pytest.raises(RuntimeError, match=rf"Parent directory {tmp_path}/none does not exist"):
            T.save({}, f"{tmp_path}/none/x.pt")
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_data(T: Any) -> None:
    data = importlib.import_module(f"{T.__name__}.utils.data")

    class Count(data.IterableDataset):  # type: ignore[name-defined, misc]
        def __init__(self, n: int) -> None:
            self.n = n

        def __iter__(self) -> Any:
            return iter(range(self.n))

        def __len__(self) -> int:
            return self.n

    chained = Count(2) + Count(3)
    assert isinstance(chained, data.ChainDataset) and list(chained) == [0, 1, 0, 1, 2] and len(chained) == 5
    assert data.get_worker_info() is None
    with pytest.raises(AssertionError, match="ChainDataset only supports IterableDataset"):
        list(data.ChainDataset([[1]]))
