"""Floor 4: optimisers, which turn gradients into better weights, and schedulers, which say how large the steps are."""

from ndl.optim import lr_scheduler as lr_scheduler
from ndl.optim.adam import Adam as Adam
from ndl.optim.adam import AdamW as AdamW
from ndl.optim.optimizer import Optimizer as Optimizer
from ndl.optim.sgd import SGD as SGD
