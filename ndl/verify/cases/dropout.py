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


@case("nn.dropout.dropout1d")
def dropout1d(d: Draw) -> Program:
    p, training, inplace = d.choice([0.0, 0.3, 0.5, 1.0]), d.boolean(), d.boolean()
    x = np.ascontiguousarray(d.normal(*d.shape(2, 3)))
    return Program(lambda T, x: T.nn.functional.dropout1d(x * 1, p, training, inplace) * 1, x, seed=True)


@case("nn.dropout.dropout2d")
def dropout2d(d: Draw) -> Program:
    p, training, inplace = d.choice([0.0, 0.3, 0.5, 1.0]), d.boolean(), d.boolean()
    x = np.ascontiguousarray(d.normal(*d.shape(4, 4)))
    return Program(lambda T, x: T.nn.functional.dropout2d(x * 1, p, training, inplace) * 1, x, seed=True)


@case("nn.dropout.dropout3d")
def dropout3d(d: Draw) -> Program:
    p, training, inplace = d.choice([0.0, 0.3, 0.5, 1.0]), d.boolean(), d.boolean()
    x = np.ascontiguousarray(d.normal(*d.shape(4, 5, high=3)))
    return Program(lambda T, x: T.nn.functional.dropout3d(x * 1, p, training, inplace) * 1, x, seed=True)


@case("nn.dropout.alpha_dropout")
def alpha_dropout(d: Draw) -> Program:
    p, training, inplace = d.choice([0.0, 0.3, 0.5, 1.0]), d.boolean(), d.boolean()
    x = np.ascontiguousarray(d.normal(*d.shape()))
    return Program(lambda T, x: T.nn.functional.alpha_dropout(x * 1, p, training, inplace) * 1, x, seed=True)


@case("nn.dropout.feature_alpha_dropout")
def feature_alpha_dropout(d: Draw) -> Program:
    p, training, inplace = d.choice([0.0, 0.3, 0.5, 1.0]), d.boolean(), d.boolean()
    x = np.ascontiguousarray(d.normal(*d.shape(2, 4)))
    return Program(lambda T, x: T.nn.functional.feature_alpha_dropout(x * 1, p, training, inplace) * 1, x, seed=True)


def of_channels(name: str, dims: int) -> None:
    @case(f"nn.dropout.{name}")
    def channels(d: Draw) -> Program:
        p, inplace, evaluate = d.choice([0.2, 0.5]), d.boolean(), d.boolean()

        def run(T, m, x):  # type: ignore[no-untyped-def]
            return m.eval()(x * 1) if evaluate else m(x * 1)

        x = np.ascontiguousarray(d.normal(*d.shape(dims, dims, high=4)))
        return Program(run, x, module=lambda T: getattr(T.nn, name)(p, inplace), seed=True)


of_channels("Dropout1d", 3)
of_channels("Dropout2d", 4)
of_channels("Dropout3d", 5)
of_channels("AlphaDropout", 3)
of_channels("FeatureAlphaDropout", 4)
