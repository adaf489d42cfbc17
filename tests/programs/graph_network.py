"""Graph networks in plain PyTorch: GCN with a dense adjacency, attention over edges by scatter and index_add, masks."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.modules.module import Module
from torch.nn.parameter import Parameter


class GraphConvolution(Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.weight = Parameter(torch.Tensor(in_features, out_features))
        if bias:
            self.bias = Parameter(torch.Tensor(out_features))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)
        if self.bias is not None:
            self.bias.data.uniform_(-stdv, stdv)

    def forward(self, input, adj):
        output = torch.mm(adj, torch.mm(input, self.weight))
        return output + self.bias if self.bias is not None else output

    def __repr__(self):
        return self.__class__.__name__ + " (" + str(self.weight.size(0)) + " -> " + str(self.weight.size(1)) + ")"


class EdgeAttention(nn.Module):
    def __init__(self, n_in, n_out, heads=2):
        super().__init__()
        self.heads, self.n_out = heads, n_out
        self.W = nn.Parameter(torch.empty(size=(n_in, n_out * heads)))
        self.a = nn.Parameter(torch.empty(1, heads, 2 * n_out))
        nn.init.xavier_uniform_(self.W.data, gain=1.414)
        nn.init.xavier_uniform_(self.a.data, gain=1.414)

    def forward(self, x, edge_index):
        n = x.size(0)
        src, dst = edge_index
        h = (x @ self.W).view(n, self.heads, self.n_out)
        e = F.leaky_relu((torch.cat([h[src], h[dst]], dim=-1) * self.a).sum(-1), negative_slope=0.2)
        top = torch.full((n, self.heads), -1e9).scatter_reduce(0, dst[:, None].expand_as(e), e, "amax")
        e = torch.exp(e - top[dst].detach())
        total = torch.zeros(n, self.heads).index_add_(0, dst, e)
        alpha = e / (total[dst] + 1e-16)
        return torch.zeros(n, self.heads, self.n_out).index_add(0, dst, alpha.unsqueeze(-1) * h[src]).mean(1)


class SAGE(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin_l, self.lin_r = nn.Linear(n_in, n_out), nn.Linear(n_in, n_out, bias=False)

    def forward(self, x, edge_index):
        row, col = edge_index.unbind(0)
        degree = torch.bincount(col, minlength=x.size(0)).clamp(min=1)
        index = col.unsqueeze(1).repeat(1, x.size(1))
        neighbours = torch.zeros_like(x).scatter_add_(0, index, x[row])
        out = self.lin_l(neighbours / degree.unsqueeze(1)) + self.lin_r(x)
        return F.normalize(out, p=2.0, dim=-1)


class Net(nn.Module):
    def __init__(self, nfeat, nhid, nclass):
        super().__init__()
        self.gc1, self.gc2 = GraphConvolution(nfeat, nhid), GraphConvolution(nhid, nclass, bias=False)
        self.attention, self.sage = EdgeAttention(nfeat, nclass), SAGE(nfeat, nclass)

    def forward(self, x, adj, edge_index):
        h = F.dropout(F.relu(self.gc1(x, adj)), 0.3, training=self.training)
        h = self.gc2(h, adj) + F.elu(self.attention(x, edge_index)) + self.sage(x, edge_index)
        return F.log_softmax(h, dim=1)


def normalized(adj):
    adj = torch.maximum(adj, adj.t()) + torch.eye(adj.size(0))
    d = adj.sum(1).pow(-0.5)
    d[torch.isinf(d)] = 0.0
    return torch.diag(d) @ adj @ torch.diag(d)


torch.manual_seed(3)
N = 9
edge_index = torch.randint(0, N, (2, 20))
adj = torch.zeros(N, N)
adj[edge_index[0], edge_index[1]] = 1
adj = normalized(adj)
features, labels = torch.randn(N, 5), torch.randint(3, (N,))
train_mask = torch.zeros(N, dtype=torch.bool)
train_mask[:6] = True
net = Net(5, 6, 3)
print(net)
optimizer = torch.optim.Adam(
    [
        {"params": net.gc1.parameters(), "weight_decay": 5e-4},
        {"params": [p for name, p in net.named_parameters() if not name.startswith("gc1")]},
    ],
    lr=0.01,
)
for epoch in range(3):
    net.train()
    optimizer.zero_grad()
    out = net(features, adj, edge_index)
    loss = F.nll_loss(out[train_mask], labels[train_mask])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        correct = net(features, adj, edge_index).max(1)[1].eq(labels)
    print(f"epoch {epoch}: {loss.item():.6f}, {correct[~train_mask].sum().item()} of {int((~train_mask).sum())}")
