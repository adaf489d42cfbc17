"""A siamese network: one set of weights seen by two pictures, contrastive and triplet losses, a Dataset of pairs."""

import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Pairs(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels
        self.rng = random.Random(0)

    def __getitem__(self, index):
        other = self.rng.randrange(len(self.images))
        same = int(self.labels[index] == self.labels[other])
        return self.images[index], self.images[other], torch.tensor([float(same)])

    def __len__(self):
        return len(self.images)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, output1, output2, label):
        distance = F.pairwise_distance(output1, output2, keepdim=True)
        return torch.mean(
            label * torch.pow(distance, 2) + (1 - label) * torch.pow(torch.clamp(self.margin - distance, min=0.0), 2)
        )


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(1, 4, kernel_size=3),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(4),
            nn.Dropout2d(p=0.2),
            nn.MaxPool2d(2),
        )
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4 * 3, 8), nn.PReLU(), nn.Linear(8, 3))

    def forward_once(self, x):
        return self.fc(self.cnn(x))

    def forward(self, input1, input2):
        return self.forward_once(input1), self.forward_once(input2)


def main():
    torch.manual_seed(6)
    dataset = Pairs(torch.randn(8, 1, 8, 6), [0, 1, 0, 1, 0, 1, 0, 1])
    loader = DataLoader(dataset, shuffle=True, num_workers=0, batch_size=4)
    net = SiameseNetwork()
    criterion, triplet = ContrastiveLoss(), nn.TripletMarginLoss(margin=1.0)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    history = []
    for _epoch in range(2):
        for img0, img1, label in loader:
            optimizer.zero_grad()
            output1, output2 = net(img0, img1)
            loss = criterion(output1, output2, label)
            # The next row is the negative of each: shared weights a third time
            loss = loss + triplet(output1, output2, torch.roll(output1, 1, 0))
            loss = loss + (1 - F.cosine_similarity(output1, output2)).mean()
            loss.backward()
            optimizer.step()
            history.append(loss.item())
    print(" ".join(f"{x:.4f}" for x in history))


if __name__ == "__main__":
    main()
