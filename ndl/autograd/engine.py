"""The backward pass: gradients flow from the roots to the leaves, newest call first.

For L = f(g(x)), reverse mode multiplies Jacobians from the left: dL/dx = (dL/df · ∂f/∂g) · ∂g/∂x. Each node does one
such vector-Jacobian product. A node may run only when *all* gradients of its outputs have arrived, because a value
used k times gets a sum of k terms:

    dL/dx = Σ_k  dL/dy_k · ∂y_k/∂x          (hence "+=", never "=")

Nodes are numbered in the order they were made, and what uses a value is always newer than what made it. So taking
the newest waiting node from a heap is a topological order, found without recursion and without a first pass.
"""

from __future__ import annotations

import heapq
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd import anomaly
from ndl.autograd.grad_mode import enable_grad, no_grad, set_grad_enabled
from ndl.autograd.graph import RELEASED, Node
from ndl.autograd.tensor import Tensor

_adding = threading.Lock()  # two threads may run backward into the same leaf


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves, as ``torch.autograd.backward``.

    ``grad_tensors`` are dL/d tensors (default: 1 for tensors of one element); ``grad_variables`` is their old name.
    See ``Tensor.backward``.
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError("`grad_tensors` and `grad_variables` (deprecated) were both given; use `grad_tensors`")
        grad_tensors = grad_variables
    roots = _sequence(tensors)
    grads = _root_grads(roots, grad_tensors, create_graph)
    targets = None if inputs is None else _sequence(inputs)
    if targets is not None and not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    run(roots, grads, create_graph if retain_graph is None else retain_graph, create_graph, targets, accumulate=True)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple:
    """The gradients of ``outputs`` with respect to ``inputs``, as ``torch.autograd.grad``; no ``grad`` is touched.

    Raises RuntimeError for an input that does not require gradients, or that the outputs do not depend on (unless
    ``allow_unused``, which gives None, or ``materialize_grads``, which gives zeros). ``only_inputs`` is PyTorch's old
    word for what is always so: no other leaf gets a gradient.
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        raise RuntimeError("is_grads_batched=True is not here; call autograd.grad once for each row of grad_outputs")
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True")
    roots, wanted = _sequence(outputs), _sequence(inputs)
    for i, t in enumerate(wanted):
        if not t.requires_grad:
            raise RuntimeError(f"One of the differentiated Tensors does not require grad: input {i} of autograd.grad")
    grads = _root_grads(roots, grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    found = run(roots, grads, keep, create_graph, wanted, accumulate=False)
    result = []
    for i, (t, g) in enumerate(zip(wanted, found, strict=True)):
        if g is None and materialize_grads:
            g = Tensor._wrap(np.zeros_like(t._array))
        if g is None and not allow_unused:
            raise RuntimeError(
                f"One of the differentiated Tensors appears to not have been used in the graph: input {i} of "
                "autograd.grad. Set allow_unused=True if this is the desired behavior."
            )
        result.append(g)
    return tuple(result)


def _sequence(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _root_grads(roots: Sequence[Tensor], grads: Any, create_graph: bool) -> list:
    """dL/d root for each root: what the caller gave, or 1 for a root of one element."""
    given = [grads] if grads is None or isinstance(grads, Tensor) else list(grads)
    if grads is None:
        given = [None] * len(roots)
    if len(given) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(given)} gradients")
    result: list = []
    for root, g in zip(roots, given, strict=True):
        if not root.requires_grad:
            raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
        if g is None:
            if root._array.size != 1:
                raise RuntimeError(
                    f"grad can be implicitly created only for scalar outputs, but this one has shape "
                    f"{list(root.shape)}: pass gradient=, or reduce it with .sum() or .mean()"
                )
            g = Tensor._wrap(np.ones_like(root._array))
        elif not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g._array.shape != root._array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output has a shape of {list(g.shape)} and output has a shape of "
                f"{list(root.shape)}."
            )
        if not create_graph:
            g = g._array
            if g.dtype != root._array.dtype:
                g = g.astype(root._array.dtype)
        result.append(g)
    return result


def run(
    roots: Sequence[Tensor],
    root_grads: Sequence,
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Tensor] | None,
    accumulate: bool,
) -> list:
    """One backward pass. With ``accumulate`` the leaves' ``grad`` grows; else the targets' gradients are returned.

    Gradients travel as plain arrays, or as Tensors when the pass is recorded (``create_graph``).
    """
    waiting: dict[Node, list] = {}  # node -> gradients of its outputs, as far as they have arrived
    owned: set = set()  # id of gradients that only this pass can see, so that adding may be done in place
    leaves: dict[int, list] = {}  # id(leaf) -> [leaf, gradient, whether it is ours alone]
    heap: list = []
    captured: dict[tuple, Any] = {}
    needed = wanted = None
    if targets is not None:
        wanted = {_key(t) for t in targets}
        needed = _nodes_towards(roots, wanted)

    def add(a: Any, b: Any) -> Any:
        return a + b if create_graph else np.asarray(a + b)  # NumPy's 0-d sums are scalars

    def arrive(target: Any, nr: int, g: Any, fresh: bool) -> None:
        if type(target) is not Node:
            entry = leaves.get(id(target))
            if entry is None:
                leaves[id(target)] = [target, g, fresh]
            elif entry[2] and not create_graph:
                np.add(entry[1], g, out=entry[1])
            else:
                entry[1], entry[2] = add(entry[1], g), True
            return
        grads = waiting.get(target)
        if grads is None:
            grads = waiting[target] = [None] * len(target.outputs)
            heapq.heappush(heap, (-target.number, target))
        if grads[nr] is None:
            grads[nr] = g
            if fresh:
                owned.add((target, nr))
        elif (target, nr) in owned and not create_graph:
            np.add(grads[nr], g, out=grads[nr])
        else:
            grads[nr] = add(grads[nr], g)
            owned.add((target, nr))

    with np.errstate(all="ignore"), set_grad_enabled(create_graph):  # inf and nan are gradients, as in PyTorch
        for root, g in zip(roots, root_grads, strict=True):
            edge = root._edge()
            assert edge is not None
            target, nr = edge
            arrive(target, nr, g, False)
        while heap:
            node = heapq.heappop(heap)[1]
            grads = waiting.pop(node)
            if node.tensor_hooks or node.retaining or wanted is not None:
                _observe(node, grads, wanted, captured, needed)
            if needed is not None and node not in needed:
                continue
            if node.prehooks:
                grads = _run_prehooks(node, grads)
            seen = create_graph or wanted is not None or node.tensor_hooks or node.prehooks
            node.owns_grad = not seen and (node, 0) in owned
            results = _differentiate(node, grads, create_graph)
            if anomaly.mode.enabled:
                anomaly.check(node, results)
            if not retain_graph:
                node.release()
            for i, g in enumerate(results):
                if g is None:
                    continue
                target, nr = node.edges[i]
                if needed is not None:
                    if type(target) is Node:
                        if target not in needed and (target, nr) not in wanted:  # type: ignore[operator]
                            continue
                    elif (id(target), 0) not in wanted:  # type: ignore[operator]
                        continue
                fresh = type(g) is np.ndarray and g.base is None and _only_result(node, i, results, grads)
                arrive(target, nr, g, fresh)
        for leaf, g, fresh in leaves.values():
            if leaf._hooks:
                g, fresh = _run_leaf_hooks(leaf, g), False
            if not accumulate or (wanted is not None and (id(leaf), 0) not in wanted):
                captured[id(leaf), 0] = g
                continue
            _accumulate(leaf, g, fresh)
        if accumulate:
            if wanted is not None:  # inputs that are not leaves take what was captured for them
                for t in targets or ():
                    if t._node is not None and _key(t) in captured:
                        _accumulate(t, captured[_key(t)], False)
            return []
    return _separate([captured.get(_key(t)) for t in targets or ()])


def _separate(grads: list) -> list:
    """Tensors for the gradients that can be written to, and no two of which share memory."""
    arrays: list = []
    for g in grads:
        if isinstance(g, np.ndarray):
            shared = any(isinstance(a, np.ndarray) and np.may_share_memory(g, a) for a in arrays)
            arrays.append(g.copy() if shared or not g.flags.writeable else g)
        else:
            arrays.append(g)
    return [_as_tensor(g) for g in arrays]


def _key(t: Tensor) -> tuple:
    edge = t._edge()
    assert edge is not None
    target, nr = edge
    return (target, nr) if type(target) is Node else (id(target), 0)


def _as_tensor(g: Any) -> Any:
    return Tensor._wrap(g) if isinstance(g, np.ndarray) else g


def _nodes_towards(roots: Sequence[Tensor], wanted: set) -> set:
    """The nodes that must run so that gradients reach ``wanted``: oldest first, each asks what it feeds."""
    found: set = set()
    stack = [t._node for t in roots if t._node is not None]
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(e[0] for e in node.edges if e is not None and type(e[0]) is Node and e[0] not in found)
    needed: set = set()
    for node in sorted(found, key=lambda n: n.number):
        for edge in node.edges:
            if edge is not None:
                target, nr = edge
                if type(target) is not Node:
                    if (id(target), 0) in wanted:
                        needed.add(node)
                elif target in needed or (target, nr) in wanted:
                    needed.add(node)
    return needed


def _only_result(node: Node, i: int, results: Sequence, grads: list) -> bool:
    """Whether a new array, gradient ``i`` of a node, is seen by nobody but the input it goes to.

    It must not be another gradient too, nor seen through one that is a view of it, nor be a gradient the node was
    given, unless that was the node's own.
    """
    if not node.function.takes_arrays:  # type: ignore[attr-defined]
        return False
    g = results[i]
    for d in grads[1:] if node.owns_grad else grads:
        if g is d:
            return False
    return not any(k != i and (r is g or getattr(r, "base", None) is g) for k, r in enumerate(results))


def _observe(node: Node, grads: list, wanted: set | None, captured: dict, needed: set | None) -> None:
    """Before a node runs: hooks of its output tensors, retained gradients, and captured ones.

    As in PyTorch, a gradient asked for is the one before the hooks if it is also passed on, else the one after.
    """
    for nr, g in enumerate(grads):
        if g is None:
            continue
        asked = wanted is not None and (node, nr) in wanted
        passed_on = needed is not None and node in needed
        if asked and passed_on:
            captured[node, nr] = g
        if node.tensor_hooks and nr in node.tensor_hooks:
            grads[nr] = g = _run_hooks(node.tensor_hooks[nr], g)
        if node.retaining and nr in node.retaining:
            tensor = node.retaining[nr]()
            if tensor is not None:
                _accumulate(tensor, g, False)
        if asked and not passed_on:
            captured[node, nr] = g


def _run_hooks(hooks: dict, g: Any) -> Any:
    is_array = isinstance(g, np.ndarray)
    t = _as_tensor(g)
    for hook in list(hooks.values()):
        new = hook(t)
        if new is None:
            continue
        if not isinstance(new, Tensor):
            raise TypeError(f"a tensor hook must return a Tensor or None, but returned {type(new).__name__}")
        if new._array.shape != t._array.shape:
            raise RuntimeError(f"hook has changed the size of value: from {list(t.shape)} to {list(new.shape)}")
        t = new
    return t._array if is_array else t


def _run_leaf_hooks(leaf: Tensor, g: Any) -> Any:
    return _run_hooks(leaf._hooks or {}, g)


def _run_prehooks(node: Node, grads: list) -> list:
    for hook in list((node.prehooks or {}).values()):
        new = hook(tuple(_as_tensor(g) for g in grads))
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            grads = [n._array if isinstance(g, np.ndarray) else n for g, n in zip(grads, new, strict=True)]
    return grads


def _differentiate(node: Node, grads: list, create_graph: bool) -> Sequence:
    """One vector-Jacobian product: the gradients of a node's inputs, each checked against its input."""
    function: Any = node.function
    if node.released:
        raise RuntimeError(RELEASED)
    if len(grads) > 1:  # a single gradient is never missing, or the node would not run
        grads[:] = [_missing(node, nr, create_graph) if g is None else g for nr, g in enumerate(grads)]
    plain = not create_graph and function.takes_arrays
    if plain:
        results = function.backward(node, *grads)
    else:
        node.recording = create_graph
        try:
            with enable_grad() if create_graph else no_grad():
                results = function.backward(node, *[_as_tensor(g) for g in grads])
        finally:
            node.recording = False
    if type(results) is not tuple:
        results = tuple(results) if isinstance(results, list) else (results,)
    edges = node.edges
    if len(results) != len(edges):
        if len(results) < len(edges) or any(r is not None for r in results[len(edges) :]):
            raise RuntimeError(
                f"function {node.name()} returned an incorrect number of gradients (expected {len(edges)}, got "
                f"{len(results)})"
            )
        results = results[: len(edges)]
    if node.posthooks:
        results = _run_posthooks(node, results, grads)
    checked = list(results)
    for i, edge in enumerate(edges):
        if edge is None:
            checked[i] = None
            continue
        g = checked[i]
        if g is None:
            continue
        target, nr = edge
        if type(target) is Node:
            shape, dtype = target.outputs[nr]
        else:
            a = target._array
            shape, dtype = a.shape, a.dtype
        if plain:
            if type(g) is not np.ndarray:
                checked[i] = g = np.asarray(g)
        else:
            if not isinstance(g, Tensor):
                if not function.takes_arrays:
                    raise RuntimeError(
                        f"function {node.name()} returned a {type(g).__name__} as gradient {i}; it must be a Tensor"
                    )
                g = Tensor._wrap(np.asarray(g))
            checked[i] = g = g if create_graph else g._array
        a = g._array if create_graph else g
        if a.shape != shape:
            checked[i] = g = sum_to_shape(g, shape, node, i)
            a = g._array if create_graph else g
        if a.dtype != dtype:
            checked[i] = g.to(dtype) if create_graph else g.astype(dtype)
    return checked


def _missing(node: Node, nr: int, create_graph: bool) -> Any:
    """The gradient of an output nothing was computed from: zeros, or None if the Function asked for that."""
    if not node._materialize or node.outputs[nr] is None:
        return None
    shape, dtype = node.outputs[nr]
    zeros = np.zeros(shape, dtype)
    return Tensor._wrap(zeros) if create_graph else zeros


def _run_posthooks(node: Node, results: tuple, grads: list) -> tuple:
    for hook in list((node.posthooks or {}).values()):
        new = hook(tuple(_as_tensor(r) for r in results), tuple(_as_tensor(g) for g in grads))
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            results = tuple(n._array if isinstance(r, np.ndarray) else n for r, n in zip(results, new, strict=True))
    return results


def sum_to_shape(g: Any, shape: tuple, node: Node | None = None, i: int = 0) -> Any:
    """Undo broadcasting: an element that was read k times gets the sum of its k gradients.

    Written with NumPy's functions, so it serves arrays and Tensors. Raises RuntimeError if ``shape`` cannot be
    broadcast to the gradient's shape.
    """
    have = tuple(g.shape)
    lead = len(have) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, have[lead:], strict=True)):
        name = "a function" if node is None else f"Function {node.name()}"
        raise RuntimeError(
            f"{name} returned an invalid gradient at index {i} - got {list(have)} but expected shape compatible with "
            f"{list(shape)}"
        )
    axes = (*range(lead), *(lead + k for k, n in enumerate(shape) if n == 1 and have[lead + k] != 1))
    g = np.sum(g, axis=axes, keepdims=True)
    return g.reshape(shape)


def _accumulate(leaf: Tensor, g: Any, fresh: bool) -> None:
    """``leaf.grad += g``, in place if there is one already, as PyTorch does."""
    with _adding:
        if leaf._grad is None:
            # A gradient that something else may still look at is copied, so that writing to it harms nobody.
            if isinstance(g, Tensor):
                leaf._grad = g.clone()
            else:
                leaf._grad = Tensor._wrap(g if fresh else g.copy("K" if 0 not in g.strides else "C"))
        elif isinstance(g, Tensor):
            leaf._grad = leaf._grad + g
        else:
            np.add(leaf._grad._array, g, out=leaf._grad._array)
            leaf._grad._version.n += 1
    for hook in list((leaf._post_accumulate_hooks or {}).values()):
        hook(leaf)
