# ruff: noqa: SIM905 (written as such programs are)
"""A word-level language model with nn.TransformerEncoder: sinusoidal positions as a buffer, causal and padding masks."""

import math
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn
from torch.nn import TransformerEncoder, TransformerEncoderLayer


class PositionalEncoding(nn.Module):
    def __init__(self, d_model: int, dropout: float = 0.1, max_len: int = 20):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x: Tensor) -> Tensor:
        """x: shape [seq_len, batch_size, embedding_dim]"""
        x = x + self.pe[: x.size(0)]
        return self.dropout(x)


class TransformerModel(nn.Module):
    def __init__(self, ntoken: int, d_model: int, nhead: int, d_hid: int, nlayers: int, dropout: float = 0.5):
        super().__init__()
        self.model_type = "Transformer"
        self.pos_encoder = PositionalEncoding(d_model, dropout)
        encoder_layers = TransformerEncoderLayer(d_model, nhead, d_hid, dropout)
        self.transformer_encoder = TransformerEncoder(encoder_layers, nlayers, enable_nested_tensor=False)
        self.embedding = nn.Embedding(ntoken, d_model, padding_idx=0)
        self.d_model = d_model
        self.linear = nn.Linear(d_model, ntoken)
        self.init_weights()

    def init_weights(self) -> None:
        initrange = 0.1
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.linear.bias.data.zero_()
        self.linear.weight.data.uniform_(-initrange, initrange)

    def forward(self, src: Tensor, src_mask: Tensor = None, padding: Tensor = None) -> Tensor:
        src = self.embedding(src) * math.sqrt(self.d_model)
        src = self.pos_encoder(src)
        if src_mask is None:
            src_mask = nn.Transformer.generate_square_subsequent_mask(len(src))
        output = self.transformer_encoder(src, src_mask, src_key_padding_mask=padding)
        return self.linear(output)


def batchify(data: Tensor, bsz: int) -> Tensor:
    seq_len = data.size(0) // bsz
    data = data[: seq_len * bsz]
    return data.view(bsz, seq_len).t().contiguous()


def get_batch(source: Tensor, i: int, bptt: int) -> tuple[Tensor, Tensor]:
    seq_len = min(bptt, len(source) - 1 - i)
    return source[i : i + seq_len], source[i + 1 : i + 1 + seq_len].reshape(-1)


def main() -> None:
    torch.manual_seed(8)
    text = "<pad> to be or not to be that is the question whether tis nobler in the mind to suffer".split()
    vocab = {word: i for i, word in enumerate(dict.fromkeys(text))}
    train_data = batchify(torch.tensor([vocab[w] for w in text[1:]]), 2)
    model = TransformerModel(len(vocab), d_model=8, nhead=2, d_hid=12, nlayers=2, dropout=0.2)
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.95)
    best_val_loss = float("inf")
    with TemporaryDirectory() as folder:
        path = folder + "/best.pt"
        for epoch in range(1, 3):
            model.train()
            for i in range(0, train_data.size(0) - 1, 4):
                data, targets = get_batch(train_data, i, 4)
                output = model(data, padding=(data == 0).t())
                loss = criterion(output.view(-1, len(vocab)), targets)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
            scheduler.step()
            model.eval()
            with torch.no_grad():
                data, targets = get_batch(train_data, 0, 5)
                val_loss = criterion(model(data).view(-1, len(vocab)), targets).item()
            print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.4f} loss {val_loss:.4f} ppl {math.exp(val_loss):.2f}")
            if val_loss < best_val_loss:
                best_val_loss = val_loss
                torch.save(model.state_dict(), path)
        print(model.load_state_dict(torch.load(path)))


if __name__ == "__main__":
    main()
