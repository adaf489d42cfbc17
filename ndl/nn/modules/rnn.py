"""PyTorch's place for recurrent layers: ``nn.modules.rnn``."""

from ndl.nn.gru import GRU, GRUCell
from ndl.nn.lstm import LSTM, LSTMCell
from ndl.nn.recurrent import RNNBase, RNNCellBase
from ndl.nn.rnn import RNN, RNNCell

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]
