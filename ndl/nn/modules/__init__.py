"""PyTorch's older place for the Modules, by its file names: ``nn.modules.conv.Conv2d`` is ``nn.Conv2d``."""

from ndl.nn.modules import (
    activation,
    adaptive,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    lazy,
    linear,
    loss,
    module,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
    utils,
)
from ndl.nn.modules.activation import *
from ndl.nn.modules.adaptive import *
from ndl.nn.modules.batchnorm import *
from ndl.nn.modules.channelshuffle import *
from ndl.nn.modules.container import *
from ndl.nn.modules.conv import *
from ndl.nn.modules.distance import *
from ndl.nn.modules.dropout import *
from ndl.nn.modules.flatten import *
from ndl.nn.modules.fold import *
from ndl.nn.modules.instancenorm import *
from ndl.nn.modules.lazy import *
from ndl.nn.modules.linear import *
from ndl.nn.modules.loss import *
from ndl.nn.modules.module import *
from ndl.nn.modules.normalization import *
from ndl.nn.modules.padding import *
from ndl.nn.modules.pixelshuffle import *
from ndl.nn.modules.pooling import *
from ndl.nn.modules.rnn import *
from ndl.nn.modules.sparse import *
from ndl.nn.modules.transformer import *
from ndl.nn.modules.upsampling import *
