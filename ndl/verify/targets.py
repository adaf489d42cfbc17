"""What the mutants are made of: every ``backward`` of a Function, and what nothing but a backward pass calls.

Who calls whom is read from the source: names are followed through imports and the faces that hand them on. A helper
that a forward pass uses, too, is left out, since a mistake in it would be no mistake of the backward pass.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent  # the package
FLOORS = ("kernels", "ops", "nn")  # what computes
BLOCKS = ("ops", "nn")  # rooms whose mutants are counted


@dataclass(frozen=True)
class Target:
    """A function to make mistakes in: ``room`` is what the report counts it for."""

    room: str
    module: str
    qualname: str
    node: ast.FunctionDef = field(compare=False, repr=False)

    @property
    def file(self) -> str:
        """As people name it: ``ndl/nn/linear.py``."""
        return self.module.replace(".", "/") + ".py"

    @property
    def code_key(self) -> tuple[str, str]:
        """How the running program names it: the code object's file and qualified name."""
        return str(Path(str(importlib.import_module(self.module).__file__))), self.qualname


@dataclass
class _Module:
    name: str
    package: bool
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)  # "relu", "ReLUFunction.backward"
    classes: dict[str, list[str]] = field(default_factory=dict)  # class -> names of its functions
    imports: dict[str, str] = field(default_factory=dict)  # alias -> full name
    public: set[str] = field(default_factory=set)
    rest: list[ast.stmt] = field(default_factory=list)  # statements outside of functions


@functools.cache
def targets() -> tuple[Target, ...]:
    """All of them, room by room."""
    modules = {m.name: m for m in map(_read, _files())}
    units = {(m.name, f): node for m in modules.values() for f, node in m.functions.items()}
    backwards = {unit for unit in units if unit[1].endswith(".backward")}
    callers: dict[tuple[str, str], set] = {unit: set() for unit in units}
    callees: dict[tuple[str, str], set] = {unit: set() for unit in units}
    for unit, node in units.items():
        for callee in _references(modules, modules[unit[0]], [node]):
            if callee in units and callee != unit:
                callers[callee].add(unit)
                callees[unit].add(callee)
    for m in modules.values():
        named = [(m.name, name) for name in m.public if m.name.split(".")[1] in BLOCKS]
        for callee in [*_references(modules, m, m.rest), *named]:
            if callee in units:
                callers[callee].add("outside")
    only = {u for u in units if callers[u]} - backwards
    while True:
        kept = {u for u in only if callers[u] <= only | backwards}
        if kept == only:
            break
        only = kept
    return tuple(_with_rooms(modules, units, backwards, only, callees))


def _with_rooms(
    modules: dict[str, _Module], units: dict, backwards: set, only: set, callees: dict[tuple[str, str], set]
) -> Iterator[Target]:
    """Each backward, and each helper for the first room whose backward reaches it."""
    rooms: dict[tuple[str, str], str] = {}
    for unit in sorted(backwards):
        if unit[0].split(".")[1] not in BLOCKS:
            continue
        room = unit[0].removeprefix("ndl.")
        waiting = [unit]
        while waiting:
            u = waiting.pop()
            if u in rooms:
                continue
            rooms[u] = room if u[0].split(".")[1] not in BLOCKS else u[0].removeprefix("ndl.")
            waiting += [c for c in callees[u] if c in only or c in backwards]
    for unit, room in sorted(rooms.items(), key=lambda item: (item[1], item[0][0], units[item[0]].lineno)):
        yield Target(room, *unit, units[unit])


def _files() -> list[Path]:
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def _read(path: Path) -> _Module:
    parts = list(path.relative_to(ROOT.parent).with_suffix("").parts)
    package = parts[-1] == "__init__"
    found = _Module(".".join(parts[:-1] if package else parts), package)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name):
                found.functions[name] = node
            case ast.ClassDef(name=name, body=body):
                methods = [n for n in body if isinstance(n, ast.FunctionDef)]
                found.functions |= {f"{name}.{n.name}": n for n in methods}
                found.classes[name] = [f"{name}.{n.name}" for n in methods]
                found.rest += [n for n in body if not isinstance(n, ast.FunctionDef)]
            case ast.ImportFrom(module=module, names=names, level=0) if module:
                found.imports |= {a.asname or a.name: f"{module}.{a.name}" for a in names}
            case ast.Import(names=names):
                found.imports |= {a.asname or a.name: a.name for a in names}
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=elements)):
                found.public = {e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)}
            case _:
                found.rest.append(node)
    return found


def _references(modules: dict[str, _Module], home: _Module, nodes: list) -> Iterator[tuple[str, str]]:
    """The functions that these statements name: by a name, or by one in a module; a class stands for its methods."""
    kernels = [m for m in modules.values() if m.name.startswith("ndl.kernels.")]
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name):
                yield from _resolve(modules, home, node.id)
            elif isinstance(node, ast.Attribute):
                source = home.imports.get(node.value.id) if isinstance(node.value, ast.Name) else None
                if source in modules:
                    yield from _resolve(modules, modules[source], node.attr)
                elif source is None:  # a kernel picked at run time: every kernel that has such a function
                    yield from ((m.name, node.attr) for m in kernels if node.attr in m.functions)


def _resolve(modules: dict[str, _Module], home: _Module, name: str) -> Iterator[tuple[str, str]]:
    if name in home.functions:
        yield home.name, name
    elif name in home.classes:
        yield from ((home.name, f) for f in home.classes[name])
    elif name in home.imports:
        module, _, inner = home.imports[name].rpartition(".")
        if module in modules and modules[module] is not home:
            yield from _resolve(modules, modules[module], inner)
