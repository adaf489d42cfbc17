"""What the mutants are made of: every ``backward`` of a Function, and what nothing but a backward pass calls.

Who calls whom is read from the source: names are followed through imports and the faces that hand them on, and a method
or a kernel that is picked at run time is every one of that name. A helper that a forward pass uses, too, is left out,
since a mistake in it would be no mistake of the backward pass; and so is what users call themselves.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent  # the package
FLOORS = ("kernels", "autograd", "ops", "nn")  # what computes
BLOCKS = ("autograd", "ops", "nn")  # rooms whose mutants are counted
FACES = ("__init__", "nn.__init__", "nn.functional", "nn.table")  # what hands the names of ndl.nn's rooms on


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
    bases: set[str] = field(default_factory=set)  # of its classes
    imports: dict[str, str] = field(default_factory=dict)  # alias -> full name
    public: set[str] = field(default_factory=set)  # functions and classes
    rest: list[ast.stmt] = field(default_factory=list)  # statements outside of functions


@functools.cache
def targets() -> tuple[Target, ...]:
    """All of them, room by room."""
    modules = {m.name: m for m in map(_read, _files())}
    units = {(m.name, f): node for m in modules.values() for f, node in m.functions.items()}
    backwards = {unit for unit, node in units.items() if _is_backward(*unit, node)}
    methods: dict[str, list[tuple[str, str]]] = {}  # what can be picked at run time, by its name
    for unit in units:
        owner, _, name = unit[1].rpartition(".")
        if unit[0].startswith("ndl.kernels.") if not owner else not _comes_with_the_class(name):
            methods.setdefault(name, []).append(unit)
    classes = {(m.name, c) for m in modules.values() for c in m.classes}
    callers: dict[tuple[str, str], set] = {callee: set() for callee in [*units, *classes]}
    callees: dict[tuple[str, str], set] = {unit: set() for unit in units}
    for unit, node in units.items():
        for callee in _references(modules, methods, modules[unit[0]], [node]):
            if callee in callers and callee != unit:
                callers[callee].add(unit)
                callees[unit].add(callee)
    for m in modules.values():
        named = [u for u in callers if u[0] == m.name and u[1].split(".")[0] in m.public]
        bases = [c for name in m.bases for c in _resolve(modules, m, name) if c in classes]
        for callee in [*_references(modules, methods, m, m.rest), *named, *bases]:
            if callee in callers:
                callers[callee].add("outside")
    only = {u for u in units if callers[u]} - backwards
    while True:
        inside = only | backwards
        owned = {c for c in classes if callers[c] and callers[c] <= inside}  # no other method has such an object
        kept = {u for u in only if callers[u] <= inside or (u[0], u[1].split(".")[0]) in owned}
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


def _is_backward(module: str, name: str, node: ast.FunctionDef) -> bool:
    """A Function's ``backward(ctx, ...)``, or that of one step of it; but not what starts the whole pass."""
    first = [a.arg for a in node.args.args[:1]]
    return name.endswith(".backward") and (first == ["ctx"] or not module.startswith("ndl.autograd."))


def _comes_with_the_class(method: str) -> bool:
    """Whether who names a class calls it: Python calls it of itself, or ``apply`` does."""
    return method in ("forward", "backward") or method.startswith("__")


def _files() -> list[Path]:
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


@functools.cache
def _handed_on() -> frozenset[str]:
    """Every name that a face of ``ndl.nn`` mentions: what its rooms have besides is for one another."""
    words: set[str] = set()
    for face in FACES:
        tree = ast.parse((ROOT / (face.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words |= set(node.value.split())
    return frozenset(words)


def _read(path: Path) -> _Module:
    parts = list(path.relative_to(ROOT.parent).with_suffix("").parts)
    package = parts[-1] == "__init__"
    found = _Module(".".join(parts[:-1] if package else parts), package)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):  # those inside of functions, too
        match node:
            case ast.ImportFrom(module=module, names=names, level=0) if module:
                found.imports |= {a.asname or a.name: f"{module}.{a.name}" for a in names}
            case ast.Import(names=names):
                found.imports |= {a.asname or a.name: a.name for a in names}
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name):
                found.functions[name] = node
            case ast.ClassDef(name=name, body=body, bases=bases):
                methods = [n for n in body if isinstance(n, ast.FunctionDef)]
                found.functions |= {f"{name}.{n.name}": n for n in methods}
                found.bases |= {b.id for b in bases if isinstance(b, ast.Name)}
                found.classes[name] = [f"{name}.{n.name}" for n in methods]
                found.rest += [n for n in body if not isinstance(n, ast.FunctionDef)]
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=elements)):
                found.public = {e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)}
            case ast.ImportFrom() | ast.Import():
                pass
            case _:
                found.rest.append(node)
    if parts[1] not in BLOCKS:
        found.public = set()
    elif parts[1] == "nn" and len(parts) == 3:
        found.public &= _handed_on()
    return found


def _references(
    modules: dict[str, _Module], methods: dict[str, list[tuple[str, str]]], home: _Module, nodes: list
) -> Iterator[tuple[str, str]]:
    """The functions that these statements name: by a name, by one in a module, or by an object's attribute."""
    for top in nodes:
        own = _names_bound_in(top) if isinstance(top, ast.FunctionDef) else set()
        for node in ast.walk(top):
            if isinstance(node, ast.Name):
                if node.id not in own:
                    yield from _resolve(modules, home, node.id)
            elif isinstance(node, ast.Attribute):
                source = home.imports.get(node.value.id) if isinstance(node.value, ast.Name) else None
                if source in modules:
                    yield from _resolve(modules, modules[source], node.attr)
                elif source is None:
                    yield from methods.get(node.attr, [])


def _names_bound_in(function: ast.FunctionDef) -> set[str]:
    """Arguments and variables: names that mean something else here than in the module."""
    bound = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound | {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)}


def _resolve(modules: dict[str, _Module], home: _Module, name: str) -> Iterator[tuple[str, str]]:
    if name in home.functions:
        yield home.name, name
    elif name in home.classes:
        yield home.name, name
        yield from ((home.name, f) for f in home.classes[name] if _comes_with_the_class(f.split(".")[1]))
    elif name in home.imports:
        module, _, inner = home.imports[name].rpartition(".")
        if module in modules and modules[module] is not home:
            yield from _resolve(modules, modules[module], inner)
