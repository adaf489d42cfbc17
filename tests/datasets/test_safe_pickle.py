"""A batch file may hold a picture batch and nothing that acts."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ndl.datasets import CIFAR10, DamagedDataError, ForbiddenPickleError
from ndl.datasets.safe_pickle import read_batch_pickle

# Opcode for opcode what NumPy wrote under Python 2: strings without an encoding, names from before NumPy 2.
PYTHON_2_ARRAY = (
    b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03U\x01bq\x04\x87q\x05Rq\x06"
    b"(K\x01K\x02K\x03\x86q\x07cnumpy\ndtype\nq\x08U\x02u1q\x09K\x00K\x01\x87q\x0aRq\x0b"
    b"(K\x03U\x01|q\x0cNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0db"
    b"%sU\x06\x01\x02\xff\x80\x05\x06q\x0etq\x0fb"
)


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "data_batch_1"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("fortran", "rows"), [(b"\x89", [[1, 2, 255], [128, 5, 6]]), (b"\x88", [[1, 255, 5], [2, 128, 6]])]
)
def test_reads_what_python_2_wrote(fortran: bytes, rows: list[list[int]], tmp_path: Path) -> None:
    pickled = b"\x80\x02}(U\x04data" + PYTHON_2_ARRAY % fortran + b"U\x06labels](K\x03K\x04eU\x01\xe9U\x01\xe9u."
    content = read_batch_pickle(written(tmp_path, pickled))
    assert content["data"].dtype == np.uint8
    assert content["data"].tolist() == rows
    assert content["labels"] == [3, 4]
    assert content["é"] == b"\xe9"


@pytest.mark.parametrize("protocol", [3, 4])
def test_reads_what_python_3_writes(protocol: int, tmp_path: Path) -> None:
    rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    pickled = pickle.dumps({b"data": rows, "transposed": rows.T, "labels": [1, 2]}, protocol=protocol)
    content = read_batch_pickle(written(tmp_path, pickled))
    np.testing.assert_array_equal(content["data"], rows)
    np.testing.assert_array_equal(content["transposed"], rows.T)
    assert content["labels"] == [1, 2]


@pytest.mark.parametrize(
    "named",
    [
        "os.system",
        "posix.system",
        "builtins.eval",
        "__builtin__.getattr",
        "numpy.load",
        "numpy.matrix",
        "numpy.core.multiarray.scalar",
        "collections.OrderedDict",
        "_codecs.encode",
    ],
)
@pytest.mark.parametrize("opcode", ["GLOBAL", "STACK_GLOBAL"])
def test_every_other_global_is_refused_by_name(named: str, opcode: str, tmp_path: Path) -> None:
    module, name = named.rsplit(".", 1)
    if opcode == "GLOBAL":
        asks = f"c{module}\n{name}\n".encode()
    else:
        asks = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)) + b"\x93"
    path = written(tmp_path, b"\x80\x04}(U\x06labels](" + asks + b"eu.")
    with pytest.raises(pickle.UnpicklingError) as error:
        read_batch_pickle(path)
    assert isinstance(error.value, ForbiddenPickleError)
    assert str(error.value).startswith(f"{path}: the pickle asks for {named};")


def test_nothing_of_a_malicious_batch_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"):
        (tmp_path / name).write_bytes(pickle.dumps(Calls(os.mkdir, str(trace))))
    with pytest.raises(ForbiddenPickleError, match=r"mkdir.*Run: python prepare_data.py --only cifar10"):
        CIFAR10(tmp_path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x02cnumpy\nndarray\nK\x05\x85R.",  # ndarray(5), never needed, as its memory is not cleared
        b"\x80\x02cnumpy\ndtype\nU\x01OK\x00K\x01\x87R.",  # dtype('O'), whose arrays hold pointers
        b"\x80\x02}U\x04data" + PYTHON_2_ARRAY.replace(b"K\x03\x86", b"K\x04\x86") % b"\x89" + b"s.",
        b"\x80\x02}U\x04data" + PYTHON_2_ARRAY.replace(b"u1", b"O8") % b"\x89" + b"s.",
        b"\x80\x02Uid\nQ.",  # a persistent id
        b"\x80\x02\x82\x01.",  # a code of the extension registry
        b"\x80\x02](h\x00e.",  # a memo that was never set
    ],
)
def test_admitted_names_cannot_be_used_for_anything_else(pickled: bytes, tmp_path: Path) -> None:
    with pytest.raises(DamagedDataError, match="cut short or no pickle"):
        read_batch_pickle(written(tmp_path, pickled))


def test_another_object_than_a_dictionary_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedDataError, match="holds a list; wanted a dictionary"):
        read_batch_pickle(written(tmp_path, pickle.dumps([1, 2])))
