"""A training script with options: a Dataset of its own, schedule, clipping, early stopping, checkpoints and resuming."""

import argparse
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
import torch.optim as optim
from classifier_net import Net
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset, random_split


class Stripes(Dataset):
    """Pictures of stripes: across, down, or neither."""

    def __init__(self, n, transform=None, seed=0):
        rng = np.random.RandomState(seed)
        self.labels = rng.randint(0, 3, size=n)
        self.images = rng.rand(n, 8, 8).astype(np.float32)
        for image, label in zip(self.images, self.labels):
            if label < 2:
                (image if label == 0 else image.T)[::2] += 1
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        if torch.is_tensor(idx):
            idx = idx.tolist()
        image = torch.from_numpy(self.images[idx]).unsqueeze(0).to(torch.get_default_dtype())
        if self.transform:
            image = self.transform(image)
        return {"image": image, "label": int(self.labels[idx])}


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def train(args, model, device, train_loader, optimizer, epoch):
    model.train()
    losses = AverageMeter()
    for batch_idx, batch in enumerate(train_loader):
        data, target = batch["image"].to(device, non_blocking=True), batch["label"].to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=args.clip)
        optimizer.step()
        losses.update(loss.item(), data.size(0))
        if batch_idx % args.log_interval == 0:
            print(f"Train Epoch: {epoch} [{batch_idx}/{len(train_loader)}]\tLoss: {loss.item():.5f} norm {norm:.4f}")
    return losses.avg


@torch.no_grad()
def evaluate(model, device, loader):
    model.eval()
    test_loss = 0
    correct = 0
    confusion = torch.zeros(3, 3, dtype=torch.int64)
    for batch in loader:
        data, target = batch["image"].to(device), batch["label"].to(device)
        output = model(data)
        test_loss += F.nll_loss(output, target, reduction="sum").item()
        pred = output.argmax(dim=1, keepdim=True)
        correct += pred.eq(target.view_as(pred)).sum().item()
        for t, p in zip(target.view(-1), pred.view(-1)):
            confusion[t.long(), p.long()] += 1
    test_loss /= len(loader.dataset)
    accuracy = 100.0 * correct / len(loader.dataset)
    print(f"Test set: Average loss: {test_loss:.4f}, Accuracy: {correct}/{len(loader.dataset)} ({accuracy:.0f}%)")
    print(confusion)
    return accuracy


def main():
    parser = argparse.ArgumentParser(description="Stripes")
    parser.add_argument("--batch-size", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--gamma", type=float, default=0.7)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--no-cuda", action="store_true", default=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--checkpoint", default="checkpoint.pth")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    use_cuda = not args.no_cuda and torch.cuda.is_available()
    set_seed(args.seed)
    device = torch.device("cuda" if use_cuda else "cpu")
    kwargs = {"num_workers": 1, "pin_memory": True} if use_cuda else {"num_workers": args.workers}

    dataset = Stripes(30, transform=lambda image: (image - 0.75) / 0.6)
    train_set, test_set = random_split(dataset, [24, 6], generator=torch.Generator().manual_seed(42))
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, drop_last=True, **kwargs)
    test_loader = DataLoader(test_set, batch_size=4, **kwargs)

    model = Net().to(device)
    optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)
    start_epoch, best_acc = 1, 0.0
    if args.resume and os.path.isfile(args.checkpoint):
        checkpoint = torch.load(args.checkpoint, map_location=device)
        model.load_state_dict(checkpoint["state_dict"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["scheduler"])
        start_epoch, best_acc = checkpoint["epoch"] + 1, checkpoint["best_acc"]
        print(f"=> loaded checkpoint '{args.checkpoint}' (epoch {checkpoint['epoch']})")

    for epoch in range(start_epoch, args.epochs + 1):
        average = train(args, model, device, train_loader, optimizer, epoch)
        accuracy = evaluate(model, device, test_loader)
        scheduler.step()
        is_best = accuracy > best_acc
        best_acc = max(accuracy, best_acc)
        torch.save(
            {
                "epoch": epoch,
                "state_dict": model.state_dict(),
                "best_acc": best_acc,
                "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(),
            },
            args.checkpoint,
        )
        print(f"epoch {epoch} average {average:.5f} lr {optimizer.param_groups[0]['lr']:.4f} best {is_best}")


if __name__ == "__main__":
    main()
