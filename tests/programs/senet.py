# ruff: noqa: UP031 (written as such programs are)
"""Squeeze-and-excitation blocks that scale channels, in a small pre-activation network; frozen first layer."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class SELayer(nn.Module):
    def __init__(self, channel, reduction=2):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channel, channel // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channel // reduction, channel, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.avg_pool(x).view(b, c)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


class PreActBlock(nn.Module):
    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        if stride != 1 or in_planes != planes:
            self.shortcut = nn.Sequential(nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False))
        self.fc1 = nn.Conv2d(planes, planes // 2, kernel_size=1)
        self.fc2 = nn.Conv2d(planes // 2, planes, kernel_size=1)

    def forward(self, x):
        out = F.relu(self.bn1(x))
        shortcut = self.shortcut(out) if hasattr(self, "shortcut") else x
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        # Squeeze
        w = F.avg_pool2d(out, out.size(2))
        w = F.relu(self.fc1(w))
        w = torch.sigmoid(self.fc2(w))
        # Excitation
        out = out * w
        out += shortcut
        return out


class SENet(nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layers = nn.ModuleList([PreActBlock(4, 4), PreActBlock(4, 8, stride=2)])
        self.se = SELayer(8)
        self.linear = nn.Linear(8, num_classes)

    def forward(self, x):
        out = F.leaky_relu(self.bn1(self.conv1(x)), 0.1)
        for layer in self.layers:
            out = layer(out)
        out = F.avg_pool2d(self.se(out), 4)
        out = out.reshape(out.shape[0], -1)
        return F.log_softmax(self.linear(out), dim=1)


torch.manual_seed(4)
net = SENet()
for param in net.conv1.parameters():
    param.requires_grad = False
activations = {}
handle = net.se.register_forward_hook(lambda module, args, output: activations.update(se=output.detach()))
optimizer = torch.optim.Adagrad(filter(lambda p: p.requires_grad, net.parameters()), lr=0.02)
inputs, targets = torch.randn(3, 3, 8, 8), torch.tensor([0, 3, 1])
for step in range(3):
    net.zero_grad()
    loss = F.nll_loss(net(inputs), targets)
    loss.backward()
    torch.nn.utils.clip_grad_value_(net.parameters(), 0.5)
    optimizer.step()
    print("%d: %.4f, se %.4f" % (step, loss.item(), activations["se"].mean().item()))
handle.remove()
print(net.conv1.weight.grad, [name for name, p in net.named_parameters() if p.grad is None])
