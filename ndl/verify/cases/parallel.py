"""Cases of ``ndl.nn.parallel``."""

from ndl.verify.case import Draw, Program, case


@case("nn.parallel.DataParallel")
def data_parallel(d: Draw) -> Program:
    n, m = d.size(), d.size()
    x = d.normal(*d.shape(1, 3), n)
    return Program(lambda T, m, x: m(x), x, module=lambda T: T.nn.DataParallel(T.nn.Linear(n, m)))
