"""Linear regression without nn: data_iter, requires_grad_, a hand-written SGD; then a cubic by autograd, as tutorials do."""

import math
import random

import torch


def synthetic_data(w, b, num_examples):
    """y = Xw + b + noise"""
    X = torch.normal(0, 1, (num_examples, len(w)))
    y = torch.matmul(X, w) + b
    y += torch.normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def data_iter(batch_size, features, labels):
    num_examples = len(features)
    indices = list(range(num_examples))
    random.shuffle(indices)
    for i in range(0, num_examples, batch_size):
        batch_indices = torch.tensor(indices[i : min(i + batch_size, num_examples)])
        yield features[batch_indices], labels[batch_indices]


def linreg(X, w, b):
    return torch.matmul(X, w) + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


torch.manual_seed(10)
random.seed(10)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
features, labels = synthetic_data(true_w, true_b, 40)
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for epoch in range(3):
    for X, y in data_iter(10, features, labels):
        l = squared_loss(linreg(X, w, b), y)
        l.sum().backward()
        sgd([w, b], 0.3, 10)
    with torch.no_grad():
        train_l = squared_loss(linreg(features, w, b), labels)
        print(f"epoch {epoch + 1}, loss {float(train_l.mean()):f}")
print(f"error of w: {(true_w - w.reshape(true_w.shape)).detach().numpy().round(4)}")

dtype = torch.get_default_dtype()
x = torch.linspace(-math.pi, math.pi, 50, dtype=dtype)
y = torch.sin(x)
a = torch.randn((), dtype=dtype, requires_grad=True)
c = torch.full((), 0.1, dtype=dtype).requires_grad_()
d = torch.randn((), dtype=dtype, requires_grad=True)
e = torch.zeros((), dtype=dtype, requires_grad=True)
for t in range(5):
    y_pred = a + c * x + d * x**2 + e * x**3
    loss = (y_pred - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        for p in (a, c, d, e):
            p -= 1e-6 * p.grad
        if t < 4:
            a.grad = c.grad = d.grad = e.grad = None
print(f"y = {a.item():.4f} + {c.item():.4f} x + {d.item():.4f} x^2 + {e.item():.4f} x^3, loss {loss.item():.4f}")

W = torch.randn(3, 4, requires_grad=True)
v = torch.randn(4)
out = torch.sigmoid(W.mm(v.view(4, 1))).squeeze()
(grad,) = torch.autograd.grad(out.sum(), W, create_graph=True)
penalty = (grad.norm(2) - 1) ** 2
penalty.backward()
print(f"{penalty.item():.4f}")


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


w1 = torch.randn(5, 6, requires_grad=True)
w2 = torch.randn(6, 2, requires_grad=True)
relu = MyReLU.apply
for _t in range(3):
    prediction = relu(features.new_ones(3, 5).mm(w1)).mm(w2)
    loss = prediction.pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w1 -= 1e-3 * w1.grad
        w2 -= 1e-3 * w2.grad
    print(f"{loss.item():.4f}")
