"""Cases of ``ndl.nn.dropout``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("nn.dropout.dropout")
def dropout(d: Draw) -> Program:
    p, training = d.choice([0.0, 0.3, 0.5, 1.0]), d.boolean()
    x = np.ascontiguousarray(d.normal(*d.shape()))  # PyTorch fills its mask in memory order, ndl in logical order
    return Program(lambda T, x: T.nn.functional.dropout(x, p, training=training) * 1, x, seed=True)


@case("nn.dropout.Dropout")
def module(d: Draw) -> Program:
    p, inplace, evaluate = d.choice([0.2, 0.5]), d.boolean(), d.boolean()

    def run(T, m, x):  # type: ignore[no-untyped-def]
        return m.eval()(x * 1) if evaluate else m(x * 1)

    x = np.ascontiguousarray(d.normal(*d.shape()))
    return Program(run, x, module=lambda T: T.nn.Dropout(p, inplace), seed=True)
