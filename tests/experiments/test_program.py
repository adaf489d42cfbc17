"""What the experiments share: what is refused before the training, and resuming."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from experiments.program import option_parser, parsed, resumed, told
from ndl.training.checkpoint import write_checkpoint

SETTINGS = {"epochs": 2, "optimizer": "adam", "schedule": "none", "lr": 0.1, "momentum": 0.9, "seed": 0}
PRESETS = {"default": SETTINGS, "fast": {**SETTINGS, "lr": 0.5}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def options(*arguments: object):  # type: ignore[no-untyped-def]
    return parsed(option_parser("", PRESETS), [str(a) for a in arguments], PRESETS, "runs/net.pt")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--checkpoint", "/dev/null/x.pt"], "/dev/null/x.pt cannot be written (/dev/null: Not a directory); name"),
        (["--checkpoint", "/dev/null"], "--checkpoint /dev/null is no file; wanted a file"),
        (["--checkpoint", "."], "--checkpoint . is a folder; wanted a file"),
        (["--checkpoint", "a.pt", "--no-checkpoint"], "not allowed with"),
        (["--curve", "/dev/null/x.png"], "/dev/null/x.png cannot be written (/dev/null: Not a directory); name"),
        (["--curve", "folder.png"], "--curve folder.png is a folder; wanted a file"),
        (["--curve", "nowhere/x.png"], "the folder nowhere does not exist"),
        (["--curve", "x.txt"], "wanted a name that ends in .png, .svg or .pdf"),
        (["--momentum", "0.5"], "--momentum changes nothing here: it counts only with --optimizer sgd"),
    ],
)
def test_refused_before_the_training(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder.png").mkdir()
    with pytest.raises(SystemExit, match="2"):
        options(*arguments)
    assert message in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["folder.png"]


def test_curves_without_matplotlib(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match="2"):
        options()
    assert "needs Matplotlib: pip install 'ndl[train]', or give --no-curve" in capsys.readouterr().err
    assert options("--no-curve").curve is None


def test_the_settings_that_count_are_told() -> None:
    assert told(options().settings) == "epochs 2, optimizer adam, schedule none, lr 0.1, seed 0"
    assert "momentum 0.5" in told(options("--optimizer", "sgd", "--momentum", 0.5).settings)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--lr", 0.5], "lr 0.5 (it has 0.1)"),
        (["--preset", "default", "--lr", 0.5], "lr 0.5 (it has 0.1)"),
        (["--preset", "default", "--lr", 0.5, "--epochs", 3], "epochs 3 (it has 2), lr 0.5 (it has 0.1)"),
        (["--preset", "fast"], "lr 0.5 (it has 0.1)"),
    ],
)
def test_resume_counts_every_option(arguments: list[object], message: str) -> None:
    write_checkpoint("net.pt", {"settings": {**SETTINGS, "data": "text"}})
    with pytest.raises(ValueError) as error:
        resumed(options("--resume", "net.pt", *arguments), PRESETS)
    assert str(error.value).endswith(f"leave out what differs: {message}")
    for arguments in ([], ["--preset", "fast", "--lr", 0.1]):  # what they come to is what it has
        longer = resumed(options("--resume", "net.pt", "--epochs", 3, *arguments), PRESETS)
        assert longer == {**SETTINGS, "epochs": 3, "data": "text"}


def test_resume_refuses_another_programs_file() -> None:
    write_checkpoint("net.pt", {"settings": {"width": 3, "data": "cifar10"}})
    with pytest.raises(ValueError, match="has the settings of another program: width, data"):
        resumed(options("--resume", "net.pt"), PRESETS)
