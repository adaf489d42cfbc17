"""Cases of ``ndl.nn.activation_elu``."""

from ndl.verify.case import Draw, Program, case


@case("nn.activation_elu.elu")
def elu(d: Draw) -> Program:
    alpha = d.choice([1.0, 0.5, 2.0, -0.7, 0.0])
    return Program(lambda T, x: T.nn.functional.elu(x, alpha), d.away_from([0.0], *d.shape()))


@case("nn.activation_elu.elu.inplace")
def elu_in_place(d: Draw) -> Program:
    alpha = d.choice([1.0, 0.5, 2.0, 0.0])
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, x: T.nn.functional.elu(x * 1, alpha, inplace=True), x)


@case("nn.activation_elu.elu.inplace.negative")
def elu_in_place_negative(d: Draw) -> Program:
    """The result does not tell the sign of x, so that the gradient is refused."""

    def run(T, x):  # type: ignore[no-untyped-def]
        y = T.nn.functional.elu(x * 1, -0.5, inplace=True)
        try:
            T.autograd.grad(y.sum(), x)
        except RuntimeError:
            return y.detach()
        return y.detach() + 1

    return Program(run, d.away_from([0.0], *d.shape()), numeric=False)


@case("nn.activation_elu.elu_")
def elu_underscore(d: Draw) -> Program:
    """Written into one half of a tensor: the other half keeps its gradient."""

    def run(T, x):  # type: ignore[no-untyped-def]
        y = x * 2
        T.nn.functional.elu_(y[1:], 0.5)
        return y

    return Program(run, d.away_from([0.0], d.size(2), d.size()))


@case("nn.activation_elu.ELU")
def elu_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, m, x: m(x * 1), x, module=lambda T: T.nn.ELU(0.7, inplace))


@case("nn.activation_elu.selu")
def selu(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, x: T.nn.functional.selu(x * 1, inplace), x)


@case("nn.activation_elu.selu_")
def selu_underscore(d: Draw) -> Program:
    return Program(lambda T, x: T.selu_(x * 1), d.away_from([0.0], *d.shape()))


@case("nn.activation_elu.SELU")
def selu_module(d: Draw) -> Program:
    inplace = d.boolean()
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, m, x: m(x * 1), x, module=lambda T: T.nn.SELU(inplace))


@case("nn.activation_elu.celu")
def celu(d: Draw) -> Program:
    alpha, inplace = d.choice([1.0, 0.5, 2.0, 49.0]), d.boolean()  # 49 · (1 / 49) is not 1
    x = d.away_from([0.0], *d.shape())
    return Program(lambda T, x: T.nn.functional.celu(x * 1, alpha, inplace), x)


@case("nn.activation_elu.celu.negative")
def celu_negative(d: Draw) -> Program:
    return Program(lambda T, x: T.celu(x, -1.5), d.away_from([0.0], *d.shape()))


@case("nn.activation_elu.celu_")
def celu_underscore(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.celu_(x * 1, 0.5), d.away_from([0.0], *d.shape()))


@case("nn.activation_elu.CELU")
def celu_module(d: Draw) -> Program:
    """PyTorch's gradient takes 1/alpha in float32's digits, whatever the type."""
    inplace = d.boolean()
    x = d.away_from([0.0], *d.shape())
    exact = lambda T, m, x: T.where(x > 0, x, 0.7 * T.expm1(x.clamp(max=0) / 0.7))
    module = lambda T: T.nn.CELU(0.7, inplace)
    return Program(lambda T, m, x: m(x * 1), x, module=module, tolerance=1e-7, exact=exact)


@case("nn.activation_elu.ties")
def ties(d: Draw) -> Program:
    """Zeros: the gradient is that of the exponential."""

    def run(T, x):  # type: ignore[no-untyped-def]
        F = T.nn.functional
        return F.elu(x, 2.0), F.selu(x), F.celu(x, 0.5), F.elu(x * 1, 0.5, inplace=True)

    return Program(run, d.ties(*d.shape()), numeric=False)
