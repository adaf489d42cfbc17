"""The layers' benchmark: its picture, and what it finds out before it measures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from experiments import layers_benchmark as bench


@pytest.mark.parametrize("n", [1, 4, len(bench.LAYERS)])
def test_every_layer_is_drawn(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: shown.extend(a.get_title() for a in self.axes))
    results = [(layer, [bench.Row("im2col", 0.01, 0.02)]) for layer in bench.LAYERS[:n]]
    bench.draw(results, {bench.LAYERS[0].name: (0.01, 0.03)}, tmp_path / "benchmark.png")
    assert shown == [layer.name for layer in bench.LAYERS[:n]]


@pytest.mark.parametrize("picture, message", [("/dev/null/x.png", "cannot be written"), ("x.txt", "wanted a name")])
def test_the_picture_is_refused_before_measuring(
    picture: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["layers_benchmark.py", "--picture", picture])
    with pytest.raises(SystemExit, match="2"):
        bench.main()
    said = capsys.readouterr()
    assert f"--picture {picture}" in said.err and message in said.err and said.out == ""


def test_matplotlib_is_looked_for_before_measuring(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["layers_benchmark.py"])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match="2"):
        bench.main()
    assert "needs Matplotlib: pip install 'ndl[train]', or give --no-picture" in capsys.readouterr().err


def test_a_failure_of_pytorch_is_not_its_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libtorch_cpu.so: cannot open shared object file')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"(?s)PyTorch is installed, but it failed:.*libtorch_cpu\.so"):
        bench.in_pytorch(0.01)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert bench.in_pytorch(0.01) == {}
