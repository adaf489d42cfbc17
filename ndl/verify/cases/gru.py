"""Cases of ``ndl.nn.gru``."""

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.recurrent import cell, many, network


@case("nn.gru.GRU")
def gru(d: Draw) -> Program:
    return network(d, "GRU")


@case("nn.gru.GRUCell")
def gru_cell(d: Draw) -> Program:
    return cell(d, "GRUCell")


@case("nn.gru.GRU.shares")
def shares(d: Draw) -> Program:
    return many(d, "GRU")


@case("nn.gru.GRU.only_the_end")
def only_the_end(d: Draw) -> Program:
    """h_n alone: no gradient comes from the outputs."""
    x = d.normal(d.size(), d.size(), 2)
    return Program(lambda T, m, x: m(x)[1], x, module=lambda T: T.nn.GRU(2, 3))


@case("nn.gru.GRU.large")
def large(d: Draw) -> Program:
    """Sequences enough for shares on several threads."""
    x = d.normal(3, d.size(33, 40), 4)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.GRU(4, 150), numeric=False)
