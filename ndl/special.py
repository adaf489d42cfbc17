"""Special functions under the names of ``torch.special``: a face of ``ndl.ops`` and ``ndl.nn.softmax``."""

from ndl.nn.softmax import log_softmax, softmax
from ndl.ops import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    log1p,
    logit,
    logsumexp,
    polygamma,
    round,
    sinc,
    xlogy,
)
from ndl.ops import digamma as psi
from ndl.ops import lgamma as gammaln
from ndl.ops import sigmoid as expit

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "log1p",
    "log_softmax",
    "logit",
    "logsumexp",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlogy",
]
