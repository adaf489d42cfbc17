"""What surrounds a model in training scripts: accumulation, scaler, averages of weights, schedules, SAM, an own optimiser."""

import copy
import math
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau, SequentialLR, StepLR, _LRScheduler
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset


class EMA:
    def __init__(self, model, decay):
        self.decay, self.shadow, self.backup = decay, {}, {}
        for name, param in model.named_parameters():
            if param.requires_grad:
                self.shadow[name] = param.data.clone()

    def update(self, model):
        for name, param in model.named_parameters():
            if param.requires_grad:
                self.shadow[name] = (1.0 - self.decay) * param.data + self.decay * self.shadow[name]

    def apply_shadow(self, model):
        for name, param in model.named_parameters():
            self.backup[name] = param.data
            param.data = self.shadow[name]

    def restore(self, model):
        for name, param in model.named_parameters():
            param.data = self.backup[name]


class WarmupCosine(_LRScheduler):
    def __init__(self, optimizer, warmup, total, last_epoch=-1):
        self.warmup, self.total = warmup, total
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        if self.last_epoch < self.warmup:
            return [base * (self.last_epoch + 1) / self.warmup for base in self.base_lrs]
        t = (self.last_epoch - self.warmup) / (self.total - self.warmup)
        return [base * 0.5 * (1 + math.cos(math.pi * t)) for base in self.base_lrs]


class Lookahead(Optimizer):
    """Momentum whose weights are pulled back to slow ones every k steps."""

    def __init__(self, params, lr=1e-2, momentum=0.9, k=2, alpha=0.5):
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, {"lr": lr, "momentum": momentum, "k": k, "alpha": alpha})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"], state["slow"], state["v"] = 0, p.clone(), torch.zeros_like(p)
                state["v"].mul_(group["momentum"]).add_(p.grad)
                p.add_(state["v"], alpha=-group["lr"])
                state["step"] += 1
                if state["step"] % group["k"] == 0:
                    state["slow"].lerp_(p, group["alpha"])
                    p.copy_(state["slow"])


class SAM(Optimizer):
    def __init__(self, params, base_optimizer, rho=0.05, **kwargs):
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.norm(torch.stack([g.norm(p=2) for g in grads]), p=2)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["old_p"] = p.data.clone()
                p.add_(p.grad * (group["rho"] / (norm + 1e-12)).to(p))
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data = self.state[p]["old_p"]
        self.base_optimizer.step()
        self.zero_grad()


def make_model():
    layers = [("fc1", nn.Linear(4, 6, bias=False)), ("bn", nn.BatchNorm1d(6)), ("act", nn.SiLU())]
    return nn.Sequential(OrderedDict([*layers, ("drop", nn.Dropout(p=0.1)), ("fc2", nn.Linear(6, 3))]))


def accumulate(model, loader, accum_iter=2):
    ema, scaler, use_amp = EMA(model, 0.9), torch.amp.GradScaler("cpu", enabled=False), False
    groups = [{"params": model.fc1.parameters(), "lr": 0.01}, {"params": list(model.parameters())[1:]}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)
    scheduler = OneCycleLR(optimizer, max_lr=[0.05, 0.2], total_steps=8)
    for _epoch in range(2):
        for i, (x, y) in enumerate(loader):
            with torch.autocast(device_type="cpu", enabled=use_amp):
                loss = F.cross_entropy(model(x), y, label_smoothing=0.1) / accum_iter
            scaler.scale(loss).backward()
            if (i + 1) % accum_iter == 0 or (i + 1) == len(loader):
                scaler.unscale_(optimizer)
                norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0, error_if_nonfinite=True)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad(set_to_none=True)
                print(f"loss {loss.item():.6f} norm {norm:.6f}", [f"{g['lr']:.6f}" for g in optimizer.param_groups])
            scheduler.step()
            ema.update(model)
    ema.apply_shadow(model)
    model.eval()
    with torch.inference_mode():
        print(f"averaged {sum(F.cross_entropy(model(x), y).item() for x, y in loader):.6f}")
    ema.restore(model)
    model.train()
    print(optimizer)


def schedules():
    makers = [
        lambda o: WarmupCosine(o, 2, 6),
        lambda o: SequentialLR(o, [LambdaLR(o, lambda e: (e + 1) / 3), StepLR(o, 2, 0.5)], milestones=[3]),
        lambda o: ReduceLROnPlateau(o, "min", factor=0.5, patience=1),
    ]
    for make in makers:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler, lrs = make(optimizer), []
        for _ in range(6):
            optimizer.step()
            lrs.append(optimizer.param_groups[0]["lr"])
            scheduler.step(*[1.0] * isinstance(scheduler, ReduceLROnPlateau))
        print(type(scheduler).__name__, [f"{lr:.5f}" for lr in lrs])


torch.manual_seed(4)
loader = DataLoader(TensorDataset(torch.randn(18, 4), torch.randint(0, 3, (18,))), batch_size=6, shuffle=True)
accumulate(make_model(), loader)
schedules()

model = make_model()
optimizer = Lookahead(model.parameters())
for x, y in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()

optimizer = SAM(model.parameters(), torch.optim.SGD, lr=0.1, momentum=0.9)
averaged, swa = AveragedModel(model), SWALR(optimizer.base_optimizer, swa_lr=0.05, anneal_epochs=3)
for _epoch in range(2):
    for x, y in loader:
        F.cross_entropy(model(x), y).backward()
        optimizer.first_step()
        F.cross_entropy(model(x), y).backward()
        optimizer.second_step()
    averaged.update_parameters(model)
    swa.step()
update_bn(loader, averaged)
print(f"{averaged(loader.dataset.tensors[0]).sum().item():.6f} {averaged.n_averaged.item()}")

twin = copy.deepcopy(model)
state = OrderedDict((key.replace("module.", ""), value) for key, value in averaged.module.state_dict().items())
del state["fc2.bias"]
print(twin.load_state_dict(state, strict=False))
try:
    twin.load_state_dict({**state, "extra": torch.zeros(1), "fc1.weight": torch.zeros(2, 2)})
except RuntimeError as error:
    print(error)
