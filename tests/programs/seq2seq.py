"""Translation with a bidirectional GRU encoder over packed sequences, additive attention and teacher forcing."""

import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

PAD, SOS, EOS = 0, 1, 2


class Encoder(nn.Module):
    def __init__(self, vocab, emb, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb, padding_idx=PAD)
        self.rnn = nn.GRU(emb, hidden, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(hidden * 2, hidden)

    def forward(self, src, src_len):
        embedded = self.embedding(src)
        packed = pack_padded_sequence(embedded, src_len.to("cpu"), batch_first=True, enforce_sorted=False)
        outputs, hidden = self.rnn(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True)
        hidden = torch.tanh(self.fc(torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)))
        return outputs, hidden


class Attention(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.attn = nn.Linear(hidden * 3, hidden)
        self.v = nn.Parameter(torch.rand(hidden))

    def forward(self, hidden, encoder_outputs, mask):
        hidden = hidden.unsqueeze(1).repeat(1, encoder_outputs.shape[1], 1)
        energy = torch.tanh(self.attn(torch.cat((hidden, encoder_outputs), dim=2)))
        attention = torch.einsum("bsh,h->bs", energy, self.v)
        attention = attention.masked_fill(mask == 0, -1e10)
        return F.softmax(attention, dim=1)


class Decoder(nn.Module):
    def __init__(self, vocab, emb, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb, padding_idx=PAD)
        self.attention = Attention(hidden)
        self.rnn = nn.GRUCell(emb + 2 * hidden, hidden)
        self.out = nn.Linear(hidden * 3 + emb, vocab)

    def forward(self, token, hidden, encoder_outputs, mask):
        embedded = self.embedding(token)
        a = self.attention(hidden, encoder_outputs, mask).unsqueeze(1)
        weighted = torch.bmm(a, encoder_outputs).squeeze(1)
        hidden = self.rnn(torch.cat((embedded, weighted), dim=1), hidden)
        return self.out(torch.cat((hidden, weighted, embedded), dim=1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, vocab=9, emb=4, hidden=5):
        super().__init__()
        self.encoder, self.decoder = Encoder(vocab, emb, hidden), Decoder(vocab, emb, hidden)
        for name, param in self.named_parameters():
            if "weight" in name:
                nn.init.normal_(param.data, mean=0, std=0.3)
            else:
                nn.init.constant_(param.data, 0)

    def forward(self, src, src_len, trg, teacher_forcing_ratio=0.5):
        encoder_outputs, hidden = self.encoder(src, src_len)
        mask = (src != PAD)[:, : encoder_outputs.size(1)]
        token, outputs = trg[:, 0], []
        for t in range(1, trg.shape[1]):
            output, hidden = self.decoder(token, hidden, encoder_outputs, mask)
            outputs.append(output)
            top1 = output.argmax(1)
            token = trg[:, t] if random.random() < teacher_forcing_ratio else top1
        return torch.stack(outputs, dim=1)


def collate_fn(batch):
    src, trg = zip(*batch)
    lengths = torch.tensor([len(s) for s in src])
    return pad_sequence(src, batch_first=True), lengths, pad_sequence(trg, batch_first=True, padding_value=PAD)


def main():
    torch.manual_seed(11)
    random.seed(11)
    pairs = []
    for n in (3, 5, 2, 4):
        words = torch.randint(3, 9, (n,))
        trg = torch.cat([torch.tensor([SOS]), words.flip(0), torch.tensor([EOS])])
        pairs.append((words, trg))
    loader = DataLoader(pairs, batch_size=2, shuffle=True, collate_fn=collate_fn)
    model = Seq2Seq()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, amsgrad=True)
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    for epoch in range(2):
        epoch_loss = 0.0
        for src, src_len, trg in loader:
            optimizer.zero_grad()
            output = model(src, src_len, trg)
            loss = criterion(output.flatten(0, 1), trg[:, 1:].reshape(-1))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            epoch_loss += loss.detach()
        print(f"epoch {epoch} loss {(epoch_loss / len(loader)).item():.4f}")


if __name__ == "__main__":
    main()
