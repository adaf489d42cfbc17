"""The Kullback-Leibler divergence KL(p ‖ q) = E_p[log p(x) − log q(x)]: how much is lost by taking q for p.

Each pair of distributions has its formula, found by type; the formulas are in ``kl_pairs``. ``register_kl`` adds one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from ndl.autograd.tensor import Tensor
from ndl.distributions.distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Formula = Callable[..., Tensor]
Pair = tuple[type, type]

REGISTRY: dict[Pair, Formula] = {}
FOUND: dict[Pair, Formula | None] = {}  # the formula for each pair asked for, with subclasses


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """Decorator: this function of (p, q) is KL(p ‖ q) for these classes and their subclasses.

    Raises TypeError for what is no class of distributions.
    """
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(kind, type) or not issubclass(kind, Distribution):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {kind}")

    def register(formula: Formula) -> Formula:
        REGISTRY[type_p, type_q] = formula
        FOUND.clear()
        return formula

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q), one number for each distribution of the batch, differentiable with regard to both.

    Raises NotImplementedError for pairs that have no formula.
    """
    pair = type(p), type(q)
    if pair not in FOUND:
        FOUND[pair] = _find(*pair)
    formula = FOUND[pair]
    if formula is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}; "
            "register_kl adds one"
        )
    return formula(p, q)


def _find(type_p: type, type_q: type) -> Formula | None:
    """The formula of the nearest classes above; a warning if p's nearest and q's nearest disagree."""
    fitting = [(p, q) for p, q in REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not fitting:
        return None
    far_p, far_q = type_p.__mro__.index, type_q.__mro__.index
    left = min(fitting, key=lambda pair: (far_p(pair[0]), far_q(pair[1])))
    right = min(fitting, key=lambda pair: (far_q(pair[1]), far_p(pair[0])))
    if REGISTRY[left] is not REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please register_kl({left[0].__name__}, "
            f"{right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return REGISTRY[left]
