"""Cases of ``ndl.nn.rnn``."""

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.recurrent import cell, many, network


@case("nn.rnn.RNN")
def rnn(d: Draw) -> Program:
    return network(d, "RNN", nonlinearity=d.choice(["tanh", "relu"]))


@case("nn.rnn.RNNCell")
def rnn_cell(d: Draw) -> Program:
    return cell(d, "RNNCell", nonlinearity=d.choice(["tanh", "relu"]))


@case("nn.rnn.RNN.shares")
def shares(d: Draw) -> Program:
    return many(d, "RNN", nonlinearity=d.choice(["tanh", "relu"]))


@case("nn.rnn.RNN.only_the_end")
def only_the_end(d: Draw) -> Program:
    """h_n alone: no gradient comes from the outputs."""
    x = d.normal(d.size(), d.size(), 2)
    return Program(lambda T, m, x: m(x)[1], x, module=lambda T: T.nn.RNN(2, 3))


@case("nn.rnn.RNN.large")
def large(d: Draw) -> Program:
    """Sequences enough for shares on several threads."""
    x = d.normal(3, d.size(33, 40), 4)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.RNN(4, 280), numeric=False)
