"""What the project promises of itself: a light import, faces without logic, a whole wheel, a clean tree."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import ndl

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "ndl").rglob("*.py"))
FACES = [path for path in MODULES if path.name in ("__init__.py", "functional.py")]


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    # With its compiled files, as a package has them once it is installed and was imported.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("library", ["torch", "matplotlib", "sklearn", "scipy", "tqdm", "requests"])
def test_import_leaves_heavy_libraries_alone(library: str) -> None:
    loaded = run_python("import sys, ndl; print(*sys.modules)").split()
    assert "ndl" in loaded and "numpy" in loaded
    assert library not in loaded


def test_import_takes_at_most_one_and_a_half_times_numpys() -> None:
    def seconds(package: str) -> float:
        code = f"import time; t = time.perf_counter(); import {package}; print(time.perf_counter() - t)"
        return float(run_python(code))

    # The fastest of several alternating runs is what the import costs; the rest is what else the machine did.
    # A machine that is busy for a whole round gets another one.
    for _ in range(3):
        rounds = [(seconds("ndl"), seconds("numpy")) for _ in range(5)]
        ours, numpys = (min(column) for column in zip(*rounds))
        if ours <= 1.5 * numpys:
            return
    pytest.fail(f"import ndl takes {ours * 1e3:.0f} ms, import numpy {numpys * 1e3:.0f} ms")


@pytest.mark.parametrize("face", FACES, ids=name_of)
def test_a_face_only_hands_names_on(face: Path) -> None:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    defined = [node.lineno for node in ast.walk(ast.parse(face.read_text())) if isinstance(node, definitions)]
    assert not defined, f"{name_of(face)} defines something on line {defined[0]}: give it a file of its own"


def private_imports(path: Path) -> Iterator[str]:
    """What a module imports from another room (ndl.nn, ndl.ops, ...) that has a leading underscore."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names = [node.module or "", *(alias.name for alias in node.names)]
            parts = [*base, *filter(None, ".".join(names).split("."))]
            private = any(part.startswith("_") and not part.endswith("__") for part in parts)
            if parts[0] == "ndl" and parts[1:2] != list(package[1:2]) and private:
                yield f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_leaves_other_rooms_private_names_alone(module: Path) -> None:
    assert not list(private_imports(module))


def test_wheel_holds_the_package_its_types_marker_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ndl/py.typed" in names
    assert {name for name in names if name.endswith(".py")} == {name_of(path) for path in MODULES}
    assert {name.split("/")[0] for name in names} == {"ndl", f"ndl-{ndl.__version__}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_version_is_the_one_that_is_published() -> None:
    assert ndl.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_no_file_names_one_machines_paths_or_a_registrys_host() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("the list of the project's files comes from git, and this is not a clone")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\0")
    unwanted = re.compile(r"(?<![\w.~-])/(wor[k]|tm[p]|roo[t]|hom[e])\b|pyp[i]\.org|pythonhoste[d]")
    found = []
    for name in filter(None, files):
        try:
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        except (UnicodeDecodeError, FileNotFoundError):  # a picture, or deleted and not yet committed
            continue
        found += [f"{name}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if unwanted.search(line)]
    assert not found, "\n".join(found)
