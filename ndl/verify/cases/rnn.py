"""Cases of ``ndl.nn.rnn``."""

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.recurrent import cell, network


@case("nn.rnn.RNN")
def rnn(d: Draw) -> Program:
    return network(d, "RNN", nonlinearity=d.choice(["tanh", "relu"]))


@case("nn.rnn.RNNCell")
def rnn_cell(d: Draw) -> Program:
    return cell(d, "RNNCell", nonlinearity=d.choice(["tanh", "relu"]))


@case("nn.rnn.RNN.large")
def large(d: Draw) -> Program:
    """Sequences enough for shares on several threads."""
    x = d.normal(3, d.size(33, 40), 4)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.RNN(4, 280), numeric=False)
