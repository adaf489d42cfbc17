"""Floor 4: optimisers, which turn gradients into better weights, and schedulers, which say how large the steps are."""

from ndl.optim import lr_scheduler as lr_scheduler
from ndl.optim import swa_utils as swa_utils
from ndl.optim.adadelta import Adadelta as Adadelta
from ndl.optim.adagrad import Adagrad as Adagrad
from ndl.optim.adam import Adam as Adam
from ndl.optim.adam import AdamW as AdamW
from ndl.optim.adamax import Adamax as Adamax
from ndl.optim.asgd import ASGD as ASGD
from ndl.optim.lbfgs import LBFGS as LBFGS
from ndl.optim.muon import Muon as Muon
from ndl.optim.nadam import NAdam as NAdam
from ndl.optim.optimizer import Optimizer as Optimizer
from ndl.optim.radam import RAdam as RAdam
from ndl.optim.rmsprop import RMSprop as RMSprop
from ndl.optim.rprop import Rprop as Rprop
from ndl.optim.sgd import SGD as SGD
from ndl.optim.sparse_adam import SparseAdam as SparseAdam
