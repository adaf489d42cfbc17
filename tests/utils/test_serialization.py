"""Files: PyTorch reads what ndl saved, ndl reads what PyTorch saved, and damage is told."""

import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ndl
from ndl import nn, optim
from ndl.utils.serialization import load, save

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8"]
DTYPES += ["uint8", "uint16", "uint32", "uint64", "bool", "complex64", "complex128"]

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


def to_torch(obj):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def from_torch(obj, **options):
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return load(file, **options)


def round_trip(obj, **options):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return load(file, **options)


# -- with PyTorch ------------------------------------------------------------------------------------------


@given(plain)
def test_plain_data_comes_back(obj):
    assert to_torch(obj) == obj
    assert from_torch(obj) == obj
    assert round_trip(obj) == obj


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (4, 3)])
def test_tensors_of_every_type(name, shape):
    array = np.array(np.arange(np.prod(shape)).reshape(shape) + 1, name)
    read = to_torch(ndl.from_numpy(array))
    assert read.dtype == getattr(torch, name)
    np.testing.assert_array_equal(read.numpy(), array, strict=True)
    read = from_torch(torch.from_numpy(array.copy()))
    np.testing.assert_array_equal(read.numpy(), array, strict=True)
    read.numpy()[...] = 0  # memory of its own, that may be written


def test_strides_offsets_and_shared_memory_are_kept():
    def program(T, base):
        return {"base": base, "turned": base.T, "part": base[1:, ::2], "wide": base[:1].expand(5, 4), "again": base}

    array = np.arange(12.0).reshape(3, 4)
    for read in (
        to_torch(program(ndl, ndl.from_numpy(array.copy()))),
        from_torch(program(torch, torch.from_numpy(array.copy()))),
        round_trip(program(ndl, ndl.from_numpy(array.copy()))),
    ):
        assert read["again"] is read["base"]
        assert {k: t.stride() for k, t in read.items()} == {
            "base": (4, 1), "turned": (1, 4), "part": (4, 2), "wide": (0, 1), "again": (4, 1)
        }  # fmt: skip
        read["base"][1, 2] = 99.0
        assert read["turned"][2, 1] == read["part"][0, 1] == 99.0


def test_memory_that_pytorch_cannot_describe_is_copied():
    array = np.arange(6.0).reshape(2, 3)
    t = ndl.from_numpy(array)
    t._array = array[:, ::-1]
    np.testing.assert_array_equal(to_torch(t).numpy(), array[:, ::-1])
    lanes = np.zeros(3, [("a", "f4"), ("b", "f4")])  # strides of 8 in memory that is not float32 throughout
    lanes["b"] = 1, 2, 3
    t._array = lanes["b"]
    assert to_torch(t).tolist() == [1, 2, 3]


def test_parameters_and_requires_grad():
    obj = {
        "p": nn.Parameter(ndl.ones(2)),
        "frozen": nn.Parameter(ndl.ones(2), False),
        "x": ndl.ones(2, requires_grad=True),
    }
    for read, parameter in ((to_torch(obj), torch.nn.Parameter), (round_trip(obj), nn.Parameter)):
        assert isinstance(read["p"], parameter) and read["p"].requires_grad
        assert isinstance(read["frozen"], parameter) and not read["frozen"].requires_grad
        assert not isinstance(read["x"], parameter) and read["x"].requires_grad
    made = from_torch(torch.nn.Parameter(torch.ones(3)))
    assert isinstance(made, nn.Parameter) and made.requires_grad
    marked = torch.nn.Parameter(torch.ones(3))
    marked.note = "attributes make PyTorch write another form"
    assert isinstance(from_torch(marked), nn.Parameter)


def test_types_devices_and_sizes():
    obj = {"type": ndl.float32, "size": ndl.ones(2, 3).shape, "device": ndl.device("cpu")}
    assert to_torch(obj) == {"type": torch.float32, "size": torch.Size([2, 3]), "device": torch.device("cpu")}
    assert isinstance(to_torch(obj)["size"], torch.Size)
    assert round_trip(obj) == obj
    assert from_torch({"type": torch.int64, "size": torch.Size([1]), "device": torch.device("cpu")}) == {
        "type": ndl.int64, "size": ndl.Size([1]), "device": ndl.device("cpu")
    }  # fmt: skip


def test_bfloat16_becomes_float32():
    numbers = torch.randn(4, 5, dtype=torch.bfloat16)
    read = from_torch(numbers.t())
    assert read.dtype == ndl.float32
    np.testing.assert_array_equal(read.numpy(), numbers.t().float().numpy())


def trained(T):
    """A model and its optimiser after two steps."""
    T.manual_seed(3)
    model = T.nn.Sequential(T.nn.Linear(4, 3), T.nn.ReLU(), T.nn.BatchNorm1d(3), T.nn.Linear(3, 2))
    optimizer = (optim if T is ndl else torch.optim).AdamW(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(T.ones(5, 4) * T.arange(5).reshape(5, 1)).square().sum().backward()
        optimizer.step()
    return model, optimizer


@pytest.mark.parametrize("source, target", [(ndl, torch), (torch, ndl)])
def test_state_of_model_and_optimiser_moves_between_the_libraries(tmp_path, source, target):
    model, optimizer = trained(source)
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    (save if source is ndl else torch.save)(state, tmp_path / "state.pt")
    read = load(tmp_path / "state.pt") if target is ndl else torch.load(tmp_path / "state.pt", weights_only=True)
    assert isinstance(read["model"], OrderedDict) and read["epoch"] == 3
    other, other_optimizer = trained(target)
    other.load_state_dict(read["model"])
    other_optimizer.load_state_dict(read["optimizer"])
    for (name, a), (_, b) in zip(model.state_dict().items(), other.state_dict().items()):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=name)
    states = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    for n in states[0]:
        for key in ("step", "exp_avg", "exp_avg_sq"):
            np.testing.assert_array_equal(states[0][n][key].numpy(), states[1][n][key].numpy())


def test_mapped_into_memory_by_pytorch(tmp_path):
    save({"a": ndl.arange(3), "b": ndl.arange(1000).float()}, tmp_path / "x.pt")
    read = torch.load(tmp_path / "x.pt", mmap=True, weights_only=True)
    assert read["a"].tolist() == [0, 1, 2] and read["b"][999] == 999
    with zipfile.ZipFile(tmp_path / "x.pt") as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            if "/data/" in info.filename:
                begin = info.header_offset + 30 + len(info.filename) + len(info.extra)
                assert begin % 64 == 0 and info.compress_type == zipfile.ZIP_STORED


def test_numpy_arrays_and_numbers():
    obj = {
        "a": np.arange(6).reshape(2, 3).T,
        "big": np.arange(3, dtype=">f8"),
        "n": np.float32(2.5),
        "b": np.bool_(True),
    }
    for read in (round_trip(obj), from_torch(obj)):
        for key, value in obj.items():
            np.testing.assert_array_equal(read[key], value)
            assert read[key].dtype == value.dtype.newbyteorder("=")  # NumPy reads into native order
    names = [np._core.multiarray._reconstruct, np._core.multiarray.scalar, np.ndarray, np.dtype]
    names += [type(np.dtype(t)) for t in ("i8", ">f8", "f4", "?")]
    with torch.serialization.safe_globals(names):
        np.testing.assert_array_equal(to_torch(obj)["a"], obj["a"])


def test_ndl_reads_and_writes_without_pytorch(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "w.pt")
    program = (
        "import sys, ndl.utils.serialization as s; d = s.load(sys.argv[1]); s.save(d, sys.argv[1]); "
        "sys.exit(any(m.split('.')[0] == 'torch' for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "w.pt"], check=True, cwd=os.getcwd())
    assert torch.load(tmp_path / "w.pt")["w"].tolist() == [1, 1]


# -- what a file may not do --------------------------------------------------------------------------------


class Evil:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function, args", [(os.system, ("true",)), (eval, ("1",)), (getattr, (1, "real"))])
def test_nothing_but_known_names_is_called(function, args):
    with pytest.raises(pickle.UnpicklingError, match=rf"asks for .*\.{function.__name__}.*weights_only=False"):
        round_trip([Evil(function, *args)])


def test_objects_that_may_hold_anything_are_refused():
    with pytest.raises(RuntimeError, match="may hold anything"):
        round_trip(np.array([1, "a"], object))
    with pytest.raises(pickle.UnpicklingError, match="asks for"):
        round_trip(nn.Linear(2, 2))
    with pytest.raises(pickle.UnpicklingError, match="part of PyTorch"):
        from_torch(torch.nn.Linear(2, 2), weights_only=False)


def test_types_cannot_be_filled_with_fields():
    fields = (3, "|", None, ("a",), {"a": (np.dtype("u1"), 0)}, 4, 1, 16)

    class Crafted:
        def __reduce__(self):
            return np.dtype, ("f4", False, True), fields

    with pytest.raises(pickle.UnpicklingError, match="in a way that plain data has no use for"):
        round_trip(Crafted())


def test_trusted_files_hold_whole_modules():
    layer = nn.Linear(2, 3)
    read = round_trip(layer, weights_only=False)
    assert repr(read) == repr(layer)
    np.testing.assert_array_equal(read.weight.detach().numpy(), layer.weight.detach().numpy())
    assert round_trip(np.array([1, "a"], object), weights_only=False).tolist() == [1, "a"]


def test_a_view_that_leaves_its_storage_is_refused(tmp_path):
    path = tmp_path / "x.pt"
    save(ndl.arange(4), path)
    with zipfile.ZipFile(path) as old:
        members = {n: old.read(n) for n in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            new.writestr(name, content[:8] if name.endswith("data/0") else content)
    with pytest.raises(RuntimeError, match="needs 32 bytes, but its storage has 8"):
        load(path)


# -- damage and interruption -------------------------------------------------------------------------------


def content(path):
    save({"w": ndl.arange(100).float(), "n": 3}, path)
    return path.read_bytes()


def test_every_cut_is_told(tmp_path):
    path = tmp_path / "w.pt"
    whole = content(path)
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match=r"cannot load .*w\.pt: it (is|begins).*[Uu]se another copy") as caught:
            load(path)
        assert "empty" in str(caught.value) or length
        assert path.read_bytes() == whole[:length]


def test_every_flipped_byte_of_the_content_is_told(tmp_path):
    path = tmp_path / "w.pt"
    whole = content(path)
    with zipfile.ZipFile(path) as archive:
        spans = [(i.header_offset + 30 + len(i.filename) + len(i.extra), i.file_size) for i in archive.infolist()[:3]]
    for begin, size in spans:
        for place in range(begin, begin + size, 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(RuntimeError, match=r"damaged.*CRC"):
                load(path)


def test_flipped_bytes_anywhere_never_give_another_result(tmp_path):
    path = tmp_path / "w.pt"
    whole = content(path)
    for place in range(0, len(whole), 11):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            read = load(path)
        except (RuntimeError, pickle.UnpicklingError) as error:
            assert "w.pt" in str(error)
        else:
            assert read["n"] == 3 and read["w"].tolist() == list(range(100))


@pytest.mark.parametrize(
    "bytes_, what",
    [(b"hello", "begins with b'hell'"), (pickle.dumps([1], 2), "PyTorch before 1.6"), (b"", "is empty")],
)
def test_other_files_are_told_apart(tmp_path, bytes_, what):
    (tmp_path / "x").write_bytes(bytes_)
    with pytest.raises(RuntimeError, match=what):
        load(tmp_path / "x")
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(RuntimeError, match="neither ndl nor PyTorch saved it"):
        load(tmp_path / "z")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch, stop):
    path = tmp_path / "w.pt"
    old = content(path)

    def interrupted(*args):
        raise stop

    with monkeypatch.context() as patched:
        patched.setattr("ndl.utils.serialization._add", interrupted)
        with pytest.raises(stop):
            save({"w": 1}, path)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save(lambda: 0, path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["w.pt"]


def test_permissions_and_links_are_kept(tmp_path):
    path = tmp_path / "w.pt"
    content(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o640)
    (tmp_path / "link.pt").symlink_to(path)
    save({"n": 4}, tmp_path / "link.pt")
    assert load(path) == {"n": 4} and path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link.pt").is_symlink()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_map_location():
    file = io.BytesIO()
    save(ndl.ones(1), file)
    for place in ("cpu", ndl.device("cpu"), None, lambda storage, location: storage, {"cuda:0": "cpu"}):
        file.seek(0)
        assert load(file, map_location=place).item() == 1
    file.seek(0)
    with pytest.raises(RuntimeError, match="cuda"):
        load(file, "cuda")
