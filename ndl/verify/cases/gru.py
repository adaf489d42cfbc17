"""Cases of ``ndl.nn.gru``."""

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.recurrent import cell, network


@case("nn.gru.GRU")
def gru(d: Draw) -> Program:
    return network(d, "GRU")


@case("nn.gru.GRUCell")
def gru_cell(d: Draw) -> Program:
    return cell(d, "GRUCell")


@case("nn.gru.GRU.large")
def large(d: Draw) -> Program:
    """Sequences enough for shares on several threads."""
    x = d.normal(3, d.size(33, 40), 4)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.GRU(4, 150), numeric=False)
