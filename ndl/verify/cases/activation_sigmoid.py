"""Cases of ``ndl.nn.activation_sigmoid``."""

from ndl.verify.case import Draw, Program, case


@case("nn.activation_sigmoid.sigmoid")
def sigmoid(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.sigmoid(x), d.normal(*d.shape()))


@case("nn.activation_sigmoid.Sigmoid")
def sigmoid_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.Sigmoid())


@case("nn.activation_sigmoid.tanh")
def tanh(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.tanh(x), d.normal(*d.shape()))


@case("nn.activation_sigmoid.Tanh")
def tanh_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.Tanh())


@case("nn.activation_sigmoid.softplus")
def softplus(d: Draw) -> Program:
    beta, threshold = d.choice([(1, 20), (2.0, 20), (0.5, 0.6), (-1.5, 20), (3.0, -1.0)])
    kink = threshold / beta
    return Program(lambda T, x: T.nn.functional.softplus(x, beta, threshold), d.away_from([kink], *d.shape()))


@case("nn.activation_sigmoid.softplus.threshold")
def softplus_threshold(d: Draw) -> Program:
    """βx on both sides of the threshold and on it, where the result jumps by what is left of the curve."""
    return Program(lambda T, x: T.nn.functional.softplus(x, 2.0, 2.0), d.ties(*d.shape()), numeric=False)


@case("nn.activation_sigmoid.Softplus")
def softplus_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.Softplus(beta=1.5))


@case("nn.activation_sigmoid.logsigmoid")
def logsigmoid(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.logsigmoid(x), d.normal(*d.shape()))


@case("nn.activation_sigmoid.LogSigmoid")
def logsigmoid_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.LogSigmoid())


@case("nn.activation_sigmoid.tanhshrink")
def tanhshrink(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.tanhshrink(x), d.normal(*d.shape()))


@case("nn.activation_sigmoid.Tanhshrink")
def tanhshrink_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape()), module=lambda T: T.nn.Tanhshrink())


@case("nn.activation_sigmoid.softsign")
def softsign(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.softsign(x), d.away_from([0.0], *d.shape()))


@case("nn.activation_sigmoid.softsign.ties")
def softsign_ties(d: Draw) -> Program:
    return Program(lambda T, x: T.nn.functional.softsign(x), d.ties(*d.shape()), numeric=False)


@case("nn.activation_sigmoid.Softsign")
def softsign_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.away_from([0.0], *d.shape()), module=lambda T: T.nn.Softsign())
