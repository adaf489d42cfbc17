"""Small deliberate mistakes, made in a function's syntax tree: the mistakes that people make in a backward pass.

Each ``Mutation`` is the whole function with one node replaced: a term of a sum or a factor dropped, a sign flipped,
operands swapped, a transpose or a sum left out, an axis or an index off by one, ``=`` for ``+=``, < for ≤, a gradient
exchanged with its neighbour. No file is changed.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

TRANSPOSES = {"T", "mT"}
METHODS_TO_DROP = {"sum", "mean", "transpose", "swapaxes", "permute", "conj"}
FUNCTIONS_TO_DROP = {"swapaxes", "moveaxis", "transpose", "flip", "sum", "mean", "keep", "keep_nonzero", "where"}
UNARY_FUNCTIONS = {"abs", "cos", "cosh", "exp", "expm1", "log", "log1p", "negative", "sign", "sin", "sinh", "sqrt"}
UNARY_FUNCTIONS |= {"square", "tan", "tanh", "reciprocal"}
OTHER_FUNCTION = {
    "add": "subtract",
    "subtract": "add",
    "multiply": "divide",
    "divide": "multiply",
    "maximum": "minimum",
    "minimum": "maximum",
    "greater": "greater_equal",
    "greater_equal": "greater",
    "less": "less_equal",
    "less_equal": "less",
    "equal": "not_equal",
    "not_equal": "equal",
    "logical_and": "logical_or",
    "logical_or": "logical_and",
    "sum": "mean",
    "mean": "sum",
    "cumsum": "cumprod",
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
}
TWO_OPERANDS = {"apply", "subtract", "divide", "true_divide", "matmul", "power", "MatMul", "dot"}
OTHER_COMPARISON = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
OTHER_ASSIGNMENT = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
COSTS_ONLY = ("need", "recording", "isinstance", "memory", "get_num_threads")  # conditions that only decide the cost
KEYWORDS_OF_COST = ("copy", "out", "optimize", "order", "where", "casting", "grain")  # and arguments
SIZES_OF_PIECES = ("PIECE_BYTES", "GRAIN", "PIECE", "TILE", "LARGE")  # and expressions that these constants are in
CALLS_OF_COST = (
    "grain",
    "check",
    "_check",
    "_bands",
    "pieces",
    "per_piece",
    "reshape",
)  # and what they are called with
NAMES_OF_COST = ("flops", "work", "bands", "per_piece", "per_share")  # and what is computed for them


@dataclass(frozen=True)
class Mutation:
    """A function with one mistake. ``before`` and ``after`` are the statement's text, ``line`` its place.

    ``which`` counts the mutants of the function that have the same text: the first is 1.
    """

    line: int
    before: str
    after: str
    function: ast.FunctionDef
    which: int = 1


def mutations(function: ast.FunctionDef) -> Iterator[Mutation]:
    """Every single mistake this module knows, made in ``function``."""
    seen = set()
    alike: Counter[tuple[str, str]] = Counter()
    original = ast.unparse(function)
    for statement in _statements(function):
        for node in _nodes(statement):
            for new in _replacements(node):
                mutant = cast(ast.FunctionDef, _replaced(function, node, new))
                text = ast.unparse(mutant)
                if text == original or text in seen:
                    continue
                seen.add(text)
                before = _header(statement)
                after = _header(_replaced(statement, node, new))
                alike[before, after] += 1
                line = getattr(node, "lineno", statement.lineno)
                yield Mutation(line, before, after, mutant, alike[before, after])


def _replaced(tree: ast.AST, node: ast.AST, new: ast.AST) -> ast.AST:
    """A copy of the tree in which ``new`` stands where ``node`` stood."""
    located = ast.copy_location(new, node) if not isinstance(new, ast.operator | ast.cmpop | ast.boolop) else new
    return ast.fix_missing_locations(copy.deepcopy(tree, {id(node): located}))


def _statements(function: ast.FunctionDef) -> Iterator[ast.stmt]:
    """Every statement below the function that computes something: not its text, nor what is raised."""
    stack: list[ast.stmt] = list(reversed(function.body))
    while stack:
        statement = stack.pop()
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if is_text or isinstance(statement, (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.Pass)):
            continue
        yield statement
        for name in ("orelse", "body"):
            stack += reversed(getattr(statement, name, []))


def _nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement itself and the expressions in it, without the statements below it."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if _is_cost(node):
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "args") and isinstance(node, (ast.AnnAssign, ast.FunctionDef)):
                continue
            children = value if isinstance(value, list) else [value]
            if isinstance(node, ast.Call) and name == "args" and _called(node) in CALLS_OF_COST:
                continue
            if isinstance(node, ast.Call) and name == "args" and _called(node) == "reshape":
                children = [c for c in children if not isinstance(c, ast.UnaryOp)]  # every negative size is a -1
            if name == "keywords":
                children = [k for k in children if k.arg not in KEYWORDS_OF_COST]
            stack += [c for c in children if isinstance(c, ast.AST) and not isinstance(c, (ast.stmt, ast.JoinedStr))]


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_cost(node: ast.AST) -> bool:
    """Whether an expression only decides how the work is cut up, or says -1 for "as many as there are"."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in NAMES_OF_COST
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in CALLS_OF_COST
        case ast.BinOp() | ast.Compare() | ast.BoolOp():
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            return bool(names & set(SIZES_OF_PIECES)) or (isinstance(node, ast.BoolOp) and _costs_only(node))
        case ast.UnaryOp(op=ast.Not()):
            return _costs_only(node)
    return False


def _header(statement: ast.AST) -> str:
    """The statement's text; of one with statements below it, the first line."""
    text = ast.unparse(statement)
    return text.split("\n", 1)[0] if hasattr(statement, "body") else text


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand by mistake where ``node`` stands."""
    match node:
        case ast.BinOp():
            yield from _binary(node)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.Assign(targets=[target], value=value)
            if type(op) in OTHER_ASSIGNMENT:
                yield ast.AugAssign(target=target, op=OTHER_ASSIGNMENT[type(op)](), value=value)
            yield ast.Pass()
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OTHER_COMPARISON:
            yield ast.Compare(left=left, ops=[OTHER_COMPARISON[type(op)]()], comparators=[right])
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
            for i in range(len(values)):
                rest = values[:i] + values[i + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.Attribute(value=value, attr=attr) if attr in TRANSPOSES:
            yield value
        case ast.Call():
            yield from _calls(node)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="at", value=ast.Attribute(attr="add")), args=[a, i, v])):
            yield ast.Assign(targets=[ast.Subscript(value=a, slice=i, ctx=ast.Store())], value=v)  # "=" for "+="
            yield ast.Pass()
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
            if value == 1:
                yield ast.Constant(0)
        case ast.Constant(value=float() as value):
            yield ast.Constant(2 * value if value else 1.0)
        case ast.Constant(value=str() as value) if "->" in value:
            yield from _subscripts(value)
        case ast.Slice(lower=lower, upper=upper, step=step):
            if lower is not None and not isinstance(lower, ast.Constant):
                yield ast.Slice(lower=_plus_one(lower), upper=upper, step=step)
            if upper is not None and not isinstance(upper, ast.Constant):
                yield ast.Slice(lower=lower, upper=_plus_one(upper), step=step)
            if step is not None:
                yield ast.Slice(lower=lower, upper=upper)
        case ast.IfExp(test=test, body=body, orelse=orelse) if not _is_none(orelse) and not _costs_only(test):
            yield body
            yield orelse
        case ast.If(test=test, body=body, orelse=orelse) if not _costs_only(test):
            if not _short_cut(test, "all"):
                yield ast.If(test=ast.Constant(False), body=body, orelse=orelse)
            if not _short_cut(test, "any"):
                yield ast.If(test=ast.Constant(True), body=body, orelse=orelse)
        case ast.Return(value=ast.Tuple(elts=elements)):
            yield from _returned(elements)


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    a, b = node.left, node.right

    def with_(op: ast.operator, left: ast.expr = a, right: ast.expr = b) -> ast.BinOp:
        return ast.BinOp(left=left, op=op, right=right)

    match node.op:
        case ast.Add():
            yield from (a, b, with_(ast.Sub()))
        case ast.Sub():
            yield from (a, ast.UnaryOp(op=ast.USub(), operand=b), with_(ast.Add()), with_(ast.Sub(), b, a))
        case ast.Mult():
            yield from (a, b, with_(ast.Div()))
        case ast.Div():
            yield from (a, with_(ast.Mult()), with_(ast.Div(), b, a))
        case ast.MatMult():
            yield with_(ast.MatMult(), b, a)
        case ast.Pow():
            yield from (a, with_(ast.Pow(), a, _plus_one(b)))
        case ast.FloorDiv():
            yield a
        case ast.BitAnd():
            yield from (a, b, with_(ast.BitOr()))
        case ast.BitOr():
            yield from (a, b, with_(ast.BitAnd()))


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    function, args, keywords = node.func, node.args, node.keywords
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    on_numpy = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "np"
    is_method = isinstance(function, ast.Attribute) and not on_numpy
    if is_method and name in METHODS_TO_DROP and isinstance(function, ast.Attribute):
        yield function.value
    if not is_method and args and name in FUNCTIONS_TO_DROP | UNARY_FUNCTIONS:
        yield args[0] if name != "where" else args[-1]
    if name == "where" and len(args) == 3:
        yield args[1]
    if name in OTHER_FUNCTION and isinstance(function, ast.Attribute):
        other = ast.Attribute(value=function.value, attr=OTHER_FUNCTION[name], ctx=ast.Load())
        yield ast.Call(func=other, args=args, keywords=keywords)
    if on_numpy and name in OTHER_FUNCTION and len(args) >= 2 and name in ("add", "subtract", "multiply", "divide"):
        positive = ast.UnaryOp(op=ast.UAdd(), operand=args[0])
        if not keywords:
            yield positive
    if name in TWO_OPERANDS and len(args) >= 2 and not any(isinstance(a, ast.Starred) for a in args):
        yield ast.Call(func=function, args=[args[1], args[0], *args[2:]], keywords=keywords)


def _subscripts(text: str) -> Iterator[ast.AST]:
    """einsum's "ni,no->oi" with two indices of the result, or of the first operand, exchanged."""
    operands, result = text.split("->")
    if len(result) >= 2:
        yield ast.Constant(f"{operands}->{result[:-2]}{result[-1]}{result[-2]}")
    first, *rest = operands.split(",")
    if len(first) >= 2:
        yield ast.Constant(",".join([first[:-2] + first[-1] + first[-2], *rest]) + "->" + result)


def _returned(elements: list[ast.expr]) -> Iterator[ast.AST]:
    """Two gradients exchanged; a gradient forgotten."""
    real = [i for i, e in enumerate(elements) if not _is_none(e)]
    for i, j in pairwise(real):
        swapped = list(elements)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        yield ast.Return(value=ast.Tuple(elts=swapped, ctx=ast.Load()))
    for i in real:
        without = [ast.Constant(None) if k == i else e for k, e in enumerate(elements)]
        yield ast.Return(value=ast.Tuple(elts=without, ctx=ast.Load()))


def _plus_one(node: ast.expr) -> ast.expr:
    return ast.BinOp(left=node, op=ast.Add(), right=ast.Constant(1))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short_cut(test: ast.AST, name: str) -> bool:
    """Whether a condition asks a mask ``.any()`` or ``.all()``, and nothing else.

    "Only if any is 0" spares the work where none is, "if all are, the short formula" spares the formula that is right
    for every mask: with the work always done, or the short formula never taken, the numbers are the same. The other
    mistake, never and always, is made.
    """
    return isinstance(test, ast.Call) and not test.args and not test.keywords and _called(test) == name


def _costs_only(test: ast.AST) -> bool:
    """Whether a condition chooses between two ways to the same numbers, as far as its names tell."""
    text = ast.unparse(test)
    return any(word in text for word in COSTS_ONLY)
