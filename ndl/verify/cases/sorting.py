"""Cases of ``ndl.ops.sorting``."""

from ndl.verify.case import Draw, Program, case
from ndl.verify.cases.reduction import with_nan


@case("ops.sorting.sort")
def sort(d: Draw) -> Program:
    x = d.distinct(*d.shape(low=d.integer(0, 1)))
    dim, descending = d.dim(x.ndim), d.boolean()
    return Program(lambda T, x: (*T.sort(x, dim, descending), T.argsort(x, dim, descending)), x)


@case("ops.sorting.sort.ties")
def sort_ties(d: Draw) -> Program:
    """Equal elements, and nan, stay in their order, also when descending."""
    x = d.ties(*d.shape(high=9)) if d.boolean() else with_nan(d, *d.shape())
    dim, descending = d.dim(x.ndim), d.boolean()
    options = {"stable": True, "dim": dim, "descending": descending}
    return Program(lambda T, x: (*T.sort(x, **options), x.argsort(**options)), x, numeric=False)


@case("ops.sorting.msort")
def msort(d: Draw) -> Program:
    return Program(lambda T, x: (T.msort(x), x.sort().values), d.distinct(*d.shape()))


@case("ops.sorting.topk")
def topk(d: Draw) -> Program:
    x = d.distinct(*d.shape(min_dims=1, high=9))
    dim, largest = d.dim(x.ndim), d.boolean()
    k = d.integer(0, x.shape[dim])
    return Program(lambda T, x: T.topk(x, k, dim, largest), x)


@case("ops.sorting.topk.few")
def topk_few(d: Draw) -> Program:
    """A few of many, where the rest is not sorted."""
    x = d.distinct(d.size(1, 3), d.integer(65, 90))
    k, dim, largest = d.choice([1, 2, 7, 8, 9, 16]), d.integer(0, 1), d.boolean()
    x = x.T if dim == 0 else x
    return Program(lambda T, x: x.topk(k, dim, largest), x)


@case("ops.sorting.topk.nan")
def topk_nan(d: Draw) -> Program:
    x = with_nan(d, d.size(1, 3), d.choice([5, 70]))
    k, largest = d.integer(1, 5), d.boolean()
    return Program(lambda T, x: x.topk(k, largest=largest).values.detach(), x, numeric=False)


@case("ops.sorting.kthvalue")
def kthvalue(d: Draw) -> Program:
    x = d.distinct(*d.shape())
    dim, keepdim = d.dim(x.ndim), d.boolean()
    k = d.integer(1, x.shape[dim] if x.ndim else 1)
    return Program(lambda T, x: T.kthvalue(x, k, dim, keepdim), x)


@case("ops.sorting.integers")
def integers(d: Draw) -> Program:
    name = d.choice(["int8", "uint8", "int32", "int64"])
    x = d.integers(0, 100, *d.shape(min_dims=1))
    dim = d.dim(x.ndim)

    def run(T, x):  # type: ignore[no-untyped-def]
        t = x.to(getattr(T, name))
        return *t.sort(dim), t.argsort(dim, True), t.topk(1, dim).values, t.kthvalue(1, dim).values

    return Program(run, x)
