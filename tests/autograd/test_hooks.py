"""Hooks: on tensors, on leaves, after accumulation, on nodes of the graph."""

import numpy as np
import pytest

from tests.both import agree, leaves, refused, same

x3 = np.array([0.5, -1.0, 2.0])


class TestTensorHooks:
    @pytest.mark.parametrize("where", ["leaf", "result"])
    def test_a_hook_sees_the_gradient(self, where):
        def program(T, x):
            y = x * 2
            seen = []
            (x if where == "leaf" else y).register_hook(lambda g: seen.append(g.clone()))
            (y * y).sum().backward()
            return seen

        same(program, x3)

    @pytest.mark.parametrize("where", ["leaf", "result"])
    def test_a_hook_replaces_the_gradient(self, where):
        def program(T, x):
            y = x * 2
            (x if where == "leaf" else y).register_hook(lambda g: g * 10)
            (y * y + x).sum().backward()
            return x.grad

        same(program, x3)

    @pytest.mark.parametrize("where", ["leaf", "result"])
    def test_several_hooks_run_in_order(self, where):
        def program(T, x):
            y = x * 1
            t = x if where == "leaf" else y
            t.register_hook(lambda g: g * 2)
            t.register_hook(lambda g: g + 1)
            (y * y).sum().backward()
            return x.grad

        same(program, x3)

    @pytest.mark.parametrize("where", ["leaf", "result"])
    def test_a_hook_runs_once_with_the_whole_gradient(self, where):
        def program(T):
            (x,) = leaves(T, (x3,))
            y = x * 1
            t, seen = (x if where == "leaf" else y), []
            t.register_hook(lambda g: seen.append(g.tolist()))
            (t * t + t * 3 + y).sum().backward()
            return seen

        assert len(agree(program)) == 1

    @pytest.mark.parametrize("where", ["leaf", "result"])
    def test_a_removed_hook_does_not_run(self, where):
        def program(T, x):
            y = x * 2
            t = x if where == "leaf" else y
            handle = t.register_hook(lambda g: g * 10)
            with t.register_hook(lambda g: g * 100):
                pass
            handle.remove()
            handle.remove()
            (y * y).sum().backward()
            return x.grad

        same(program, x3)

    def test_hooks_stay_with_the_value_they_were_set_on(self):
        def program(T, x):
            y = x * 2
            seen = []
            y.register_hook(lambda g: seen.append(g.clone()))
            y.mul_(3)
            (y * y).sum().backward()
            return seen, x.grad

        same(program, x3)

    def test_hooks_with_autograd_grad(self):
        def program(T, x):
            y = x * 2
            x.register_hook(lambda g: g * 10)
            y.register_hook(lambda g: g * 100)
            loss = (y * y).sum()
            return T.autograd.grad(loss, (x, y))

        same(program, x3)

    def test_hooks_with_retain_grad(self):
        def program(T, x):
            y = x * 2
            y.retain_grad()
            y.register_hook(lambda g: g * 10)
            (y * y).sum().backward()
            return y.grad, x.grad

        same(program, x3)

    def test_hooks_are_differentiated_with_create_graph(self):
        def program(T, x):
            y = x * x
            y.register_hook(lambda g: g * g)
            (g,) = T.autograd.grad((y * y).sum(), x, create_graph=True)
            return g

        same(program, x3)

    def test_without_gradients_a_hook_is_refused(self):
        refused(lambda T, x: x.detach().register_hook(lambda g: g), x3)

    def test_a_hook_that_changes_the_shape_is_refused(self):
        def program(T, x):
            x.register_hook(lambda g: g[:2])
            (x * x).sum().backward()

        refused(program, x3)

    def test_a_hook_that_returns_something_else_is_refused(self):
        def program(T, x):
            x.register_hook(lambda g: 3)
            (x * x).sum().backward()

        refused(program, x3, error=TypeError)

    def test_an_error_in_a_hook_comes_through(self):
        def program(T, x):
            def hook(g):
                raise KeyError("mine")

            x.register_hook(hook)
            (x * x).sum().backward()

        refused(program, x3, error=KeyError)


class TestPostAccumulateHooks:
    def test_it_runs_after_the_gradient_was_added(self):
        def program(T):
            (x,) = leaves(T, (x3,))
            seen = []
            x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.tolist())))
            for _ in range(2):
                (x * x + x).sum().backward()
            return seen

        agree(program)

    def test_an_optimiser_step_in_backward(self):
        def program(T, x):
            def step(p):
                with T.no_grad():
                    p.sub_(p.grad * 0.1)
                p.grad = None

            x.register_post_accumulate_grad_hook(step)
            for _ in range(3):
                (x * x).sum().backward()
            return x.detach()

        same(program, x3)

    def test_a_removed_one_does_not_run(self):
        def program(T):
            (x,) = leaves(T, (x3,))
            seen = []
            handle = x.register_post_accumulate_grad_hook(lambda p: seen.append(1))
            handle.remove()
            x.sum().backward()
            return seen

        assert agree(program) == []

    def test_it_does_not_run_for_autograd_grad(self):
        def program(T):
            (x,) = leaves(T, (x3,))
            seen = []
            x.register_post_accumulate_grad_hook(lambda p: seen.append(1))
            T.autograd.grad((x * x).sum(), x)
            return seen

        assert agree(program) == []

    def test_on_a_result_it_is_refused(self):
        refused(lambda T, x: (x * 2).register_post_accumulate_grad_hook(print), x3)


class TestNodeHooks:
    def test_a_hook_sees_what_goes_out_and_what_came_in(self):
        def program(T):
            x, y = leaves(T, (x3, x3 + 1))
            z = x * y
            seen = []

            def hook(grad_inputs, grad_outputs):
                seen.append([[g.tolist() for g in gs] for gs in (grad_inputs, grad_outputs)])

            z.grad_fn.register_hook(hook)
            (z * 2).sum().backward()
            return seen

        agree(program)

    def test_a_hook_replaces_what_goes_out(self):
        def program(T, x, y):
            z = x * y
            z.grad_fn.register_hook(lambda grads, _: (grads[0] * 10, grads[1]))
            z.sum().backward()
            return x.grad, y.grad

        same(program, x3, x3 + 1)

    def test_a_prehook_replaces_what_comes_in(self):
        def program(T, x, y):
            z = x * y
            z.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
            z.sum().backward()
            return x.grad, y.grad

        same(program, x3, x3 + 1)

    def test_removed_hooks_do_not_run(self):
        def program(T, x):
            z = x * 2
            z.grad_fn.register_hook(lambda grads, _: (grads[0] * 10, None)).remove()
            z.grad_fn.register_prehook(lambda grads: (grads[0] * 10,)).remove()
            z.sum().backward()
            return x.grad

        same(program, x3)


def test_the_graph_can_be_walked():
    def program(T):
        x, y = leaves(T, (x3, x3))
        z = (x * y).exp().sum()

        def walk(node):
            return node.name().rsplit("::")[-1], [walk(n) for n, _ in node.next_functions if n is not None]

        return walk(z.grad_fn), [type(n).__name__ for n in (x.grad_fn, y.grad_fn)]

    agree(program)


def test_a_leafs_end_of_the_graph_names_the_leaf():
    def program(T):
        (x,) = leaves(T, (x3,))
        node = (x * 2).grad_fn.next_functions[0][0]
        return node.variable is x, node.next_functions

    agree(program)
