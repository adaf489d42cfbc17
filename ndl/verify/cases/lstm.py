"""Cases of ``ndl.nn.lstm``."""

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.recurrent import cell, many, network


@case("nn.lstm.LSTM")
def lstm(d: Draw) -> Program:
    return network(d, "LSTM")


@case("nn.lstm.LSTM.proj_size")
def projected(d: Draw) -> Program:
    return network(d, "LSTM", proj_size=1)


@case("nn.lstm.LSTMCell")
def lstm_cell(d: Draw) -> Program:
    return cell(d, "LSTMCell")


@case("nn.lstm.LSTM.only_the_end")
def only_the_end(d: Draw) -> Program:
    """h_n or c_n alone: no gradient comes from the outputs."""
    which = d.integer(0, 1)
    x = d.normal(d.size(), d.size(), 2)
    return Program(lambda T, m, x: m(x)[1][which], x, module=lambda T: T.nn.LSTM(2, 3))


@case("nn.lstm.LSTM.shares")
def shares(d: Draw) -> Program:
    return many(d, "LSTM", proj_size=d.integer(0, 2))


@case("nn.lstm.LSTM.large")
def large(d: Draw) -> Program:
    """Sequences enough for shares on several threads."""
    x = d.normal(3, d.size(33, 40), 4)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.LSTM(4, 130), numeric=False)
