"""Cases of ``ndl.nn.activation_gated``."""

from ndl.verify.case import Draw, Program, case


@case("nn.activation_gated.silu")
def silu(d: Draw) -> Program:
    inplace = d.boolean()
    return Program(lambda T, x: T.nn.functional.silu(x * 1, inplace), d.normal(*d.shape()))


@case("nn.activation_gated.SiLU")
def silu_module(d: Draw) -> Program:
    inplace = d.boolean()
    return Program(lambda T, m, x: m(x * 1), d.normal(*d.shape()), module=lambda T: T.nn.SiLU(inplace))


@case("nn.activation_gated.silu.shared")
def silu_shared(d: Draw) -> Program:
    """One gradient goes to two, and one number to a whole array: nobody may write into it."""
    shape = d.shape()

    def run(T, x, w):  # type: ignore[no-untyped-def]
        silu = T.nn.functional.silu
        return silu(x) + silu(w), silu(x * w).sum()

    return Program(run, d.normal(*shape), d.normal(*shape))


@case("nn.activation_gated.gelu")
def gelu(d: Draw) -> Program:
    approximate = d.choice(["none", "tanh"])
    return Program(lambda T, x: T.nn.functional.gelu(x, approximate=approximate), d.normal(*d.shape()))


@case("nn.activation_gated.gelu.wide")
def gelu_wide(d: Draw) -> Program:
    """Arguments far enough out that both tails show."""

    def run(T, x):  # type: ignore[no-untyped-def]
        return T.nn.functional.gelu(x * 4), T.nn.functional.gelu(x * 4, approximate="tanh")

    return Program(run, d.normal(*d.shape()))


@case("nn.activation_gated.GELU")
def gelu_module(d: Draw) -> Program:
    approximate = d.choice(["none", "tanh"])
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.GELU(approximate))


@case("nn.activation_gated.mish")
def mish(d: Draw) -> Program:
    inplace = d.boolean()
    return Program(lambda T, x: T.nn.functional.mish(x * 2, inplace), d.normal(*d.shape()))


@case("nn.activation_gated.Mish")
def mish_module(d: Draw) -> Program:
    inplace = d.boolean()
    return Program(lambda T, m, x: m(x * 1), d.normal(*d.shape()), module=lambda T: T.nn.Mish(inplace))


@case("nn.activation_gated.glu")
def glu(d: Draw) -> Program:
    shape = list(d.shape(1, 4))
    dim = d.dim(len(shape))
    shape[dim] = 2 * d.integer(0, 3)
    return Program(lambda T, x: T.nn.functional.glu(x, dim), d.normal(*shape))


@case("nn.activation_gated.GLU")
def glu_module(d: Draw) -> Program:
    shape = (*d.shape(0, 3), 2 * d.size())
    return Program(lambda T, m, x: m(x), d.normal(*shape), module=lambda T: T.nn.GLU())
