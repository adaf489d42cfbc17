# ruff: noqa: UP008, UP032 (written as such programs are)
"""VGG from a configuration list, with Dropout and an initialisation loop."""

import math

import torch
import torch.nn as nn

cfg = {
    "A": [4, "M", 8, "M", 8, 8, "M"],
    "B": [4, 4, "M", 8, 8, "M"],
}


class VGG(nn.Module):
    def __init__(self, features, size, num_classes=10):
        super(VGG, self).__init__()
        self.features = features
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(8 * size * size, 16),
            nn.ReLU(True),
            nn.Dropout(),
            nn.Linear(16, 16),
            nn.ReLU(True),
            nn.Linear(16, num_classes),
        )
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, math.sqrt(2.0 / n))
                m.bias.data.zero_()
            elif isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                m.bias.data.fill_(0.01)

    def forward(self, x):
        x = self.features(x)
        x = x.view(x.size(0), -1)
        x = self.classifier(x)
        return x


def make_layers(cfg, batch_norm=False):
    layers = []
    in_channels = 3
    for v in cfg:
        if v == "M":
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
        else:
            conv2d = nn.Conv2d(in_channels, v, kernel_size=3, padding=1)
            if batch_norm:
                layers += [conv2d, nn.BatchNorm2d(v), nn.ReLU(inplace=True)]
            else:
                layers += [conv2d, nn.ReLU(inplace=True)]
            in_channels = v
    return nn.Sequential(*layers)


def adjust_learning_rate(optimizer, epoch):
    lr = 0.05 * (0.5 ** (epoch // 2))
    for param_group in optimizer.param_groups:
        param_group["lr"] = lr


if __name__ == "__main__":
    torch.manual_seed(1)
    input = torch.randn(4, 3, 16, 16)
    target = torch.LongTensor([3, 1, 4, 1])
    for model in [VGG(make_layers(cfg["A"]), 2), VGG(make_layers(cfg["B"], batch_norm=True), 4)]:
        print(model)
        criterion = nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
        for epoch in range(3):
            adjust_learning_rate(optimizer, epoch)
            output = model(input)
            loss = criterion(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            print("Epoch: [{0}]\tLoss {loss:.4f}".format(epoch, loss=loss.data.item()))
