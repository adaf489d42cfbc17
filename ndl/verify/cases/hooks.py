"""Cases of ``ndl.nn.hooks``."""

from ndl.verify.case import Draw, Program, case


@case("nn.hooks.register_full_backward_hook")
def full_backward_hook(d: Draw) -> Program:
    """Hooks that change the gradients of a module with two inputs, of which both or one have any."""
    shape, constant = d.shape(), d.choice([(), (0,), (1,)])

    def run(T, m, x, t):  # type: ignore[no-untyped-def]
        m.register_full_backward_pre_hook(lambda module, dys: (dys[0] * 3,))
        m.register_full_backward_hook(
            lambda module, dxs, dys: tuple([None if dx is None else dx * k for k, dx in zip((2, 5), dxs)])
        )
        return m(x, t)

    return Program(
        run,
        d.normal(*shape),
        d.normal(*shape),
        module=lambda T: T.nn.MSELoss(reduction="none"),
        numeric=False,  # what hooks make of a gradient is no derivative
        constant=constant,
    )
