"""Names to languages with an RNN written by hand, then a character LSTM with truncated backpropagation and sampling."""

import string
import unicodedata

import torch
import torch.nn as nn

all_letters = string.ascii_letters + " .,;'"
n_letters = len(all_letters)


def unicodeToAscii(s):
    return "".join(c for c in unicodedata.normalize("NFD", s) if unicodedata.category(c) != "Mn" and c in all_letters)


def lineToTensor(line):
    tensor = torch.zeros(len(line), 1, n_letters)
    for li, letter in enumerate(line):
        tensor[li][0][all_letters.find(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        output = self.softmax(self.i2o(combined))
        return output, hidden

    def initHidden(self):
        return torch.zeros(1, self.hidden_size)


def classify_names():
    categories = ["Czech", "Spanish", "Irish"]
    names = [("Dvořák", 0), ("Núñez", 1), ("O'Neal", 2)]
    rnn = RNN(n_letters, 6, len(categories))
    criterion = nn.NLLLoss()
    for name, category in names:
        line_tensor = lineToTensor(unicodeToAscii(name))
        category_tensor = torch.tensor([category], dtype=torch.long)
        hidden = rnn.initHidden()
        rnn.zero_grad()
        for i in range(line_tensor.size()[0]):
            output, hidden = rnn(line_tensor[i], hidden)
        loss = criterion(output, category_tensor)
        loss.backward()
        # Add parameters' gradients to their values, multiplied by learning rate
        for p in rnn.parameters():
            p.data.add_(p.grad.data, alpha=-0.05)
        top_n, top_i = output.topk(1)
        print(name, f"{loss.item():.4f}", categories[top_i[0].item()], f"{top_n.exp().item():.4f}")


class CharLSTM(nn.Module):
    def __init__(self, n_chars, n_hidden=7, n_layers=2, drop_prob=0.3):
        super().__init__()
        self.n_layers, self.n_hidden = n_layers, n_hidden
        self.encoder = nn.Embedding(n_chars, 5)
        self.lstm = nn.LSTM(5, n_hidden, n_layers, dropout=drop_prob, batch_first=True)
        self.dropout = nn.Dropout(drop_prob)
        self.fc = nn.Linear(n_hidden, n_chars)

    def forward(self, x, hidden):
        r_output, hidden = self.lstm(self.encoder(x), hidden)
        out = r_output.contiguous().view(-1, self.n_hidden)
        out = self.dropout(out)
        return self.fc(out), hidden

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        return (
            weight.new(self.n_layers, batch_size, self.n_hidden).zero_(),
            weight.new(self.n_layers, batch_size, self.n_hidden).zero_(),
        )


def learn_text():
    text = "the cat sat on the mat, the rat sat on the cat; "
    chars = sorted(set(text))
    char_to_ix = {ch: i for i, ch in enumerate(chars)}
    data = torch.tensor([char_to_ix[c] for c in text]).view(2, -1)
    model = CharLSTM(len(chars))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    hidden = model.init_hidden(2)
    for n in range(0, 18, 6):
        x, y = data[:, n : n + 6], data[:, n + 1 : n + 7]
        hidden = tuple([each.data for each in hidden])
        model.zero_grad()
        output, hidden = model(x, hidden)
        loss = criterion(output, y.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        print(f"{loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        hidden = model.init_hidden(1)
        ch, sampled = torch.tensor([[0]]), []
        for _ in range(10):
            output, hidden = model(ch, hidden)
            p = torch.softmax(output / 0.8, dim=-1)
            ch = torch.multinomial(p, 1)
            sampled.append(chars[ch.item()])
    print(repr("".join(sampled)))


if __name__ == "__main__":
    torch.manual_seed(7)
    classify_names()
    learn_text()
