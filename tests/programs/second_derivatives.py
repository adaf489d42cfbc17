"""Gradients of gradients: a WGAN with gradient penalty, a network under a differential equation, MAML's inner steps."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import autograd
from torch.autograd import Variable
from torch.func import functional_call


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, 3, 3, 2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(3, 4, 3, padding=1), nn.LeakyReLU(0.2)
        )
        self.linear = nn.Linear(4 * 3 * 3, 1)

    def forward(self, input):
        output = self.main(input)
        return self.linear(output.view(-1, 4 * 3 * 3))


def calc_gradient_penalty(netD, real_data, fake_data, LAMBDA=10):
    alpha = torch.rand(real_data.size(0), 1, 1, 1).expand(real_data.size())
    interpolates = alpha * real_data.data + (1 - alpha) * fake_data.data
    interpolates = Variable(interpolates, requires_grad=True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(
        outputs=disc_interpolates,
        inputs=interpolates,
        grad_outputs=torch.ones(disc_interpolates.size()),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    gradients = gradients.view(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


def wgan():
    netG = nn.Sequential(nn.ConvTranspose2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU(True), nn.ConvTranspose2d(3, 1, 4))
    netD = Discriminator()
    optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.0, 0.9))
    optimizerG = torch.optim.RMSprop(netG.parameters(), lr=1e-3)
    one = torch.tensor(1.0)
    mone = one * -1
    for _iteration in range(2):
        for p in netD.parameters():
            p.requires_grad = True
        real, noise = torch.randn(4, 1, 6, 6), torch.randn(4, 4, 1, 1)
        netD.zero_grad()
        D_real = netD(real).mean()
        D_real.backward(mone)
        with torch.no_grad():
            fake = netG(noise)
        D_fake = netD(fake).mean()
        D_fake.backward(one)
        penalty = calc_gradient_penalty(netD, real, fake)
        penalty.backward()
        optimizerD.step()
        for p in netD.parameters():
            p.requires_grad = False  # to avoid computation
        netG.zero_grad()
        G = netD(netG(noise)).mean()
        G.backward(mone)
        optimizerG.step()
        print(f"wasserstein {(D_real - D_fake).item():.6f} penalty {penalty.item():.6f} G {G.item():.6f}")


def oscillator():
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    t = torch.linspace(0, 1, 7).view(-1, 1).requires_grad_(True)
    for _i in range(2):
        optimizer.zero_grad()
        u = net(t)
        dudt = autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
        d2udt2 = autograd.grad(dudt, t, torch.ones_like(dudt), create_graph=True)[0]
        boundary = (torch.squeeze(u[0]) - 1) ** 2 + torch.squeeze(dudt[0]) ** 2
        loss = boundary + 1e-1 * torch.mean((d2udt2 + 4 * dudt + 400 * u) ** 2)
        loss.backward()
        optimizer.step()
        print(f"oscillator {loss.item():.4f}")


def maml(inner_steps=2, inner_lr=0.1):
    model = nn.Sequential(nn.Linear(1, 6), nn.ReLU(), nn.Linear(6, 1))
    meta = torch.optim.SGD(model.parameters(), lr=1e-2)
    for _iteration in range(2):
        losses = []
        for _task in range(2):
            amplitude, phase = torch.rand(1) * 4.9 + 0.1, torch.rand(1) * 3.14
            x = torch.rand(2, 5, 1) * 10 - 5
            y = amplitude * torch.sin(x - phase)
            fast = dict(model.named_parameters())
            for _step in range(inner_steps):
                inner = F.mse_loss(functional_call(model, fast, x[0]), y[0])
                grads = autograd.grad(inner, fast.values(), create_graph=True)
                fast = {name: p - inner_lr * g for (name, p), g in zip(fast.items(), grads)}
            losses.append(F.mse_loss(functional_call(model, fast, (x[1],)), y[1]))
        meta.zero_grad()
        loss = torch.stack(losses).mean()
        loss.backward()
        meta.step()
        print(f"meta {loss.item():.5f}")


torch.manual_seed(2)
wgan()
oscillator()
maml()
