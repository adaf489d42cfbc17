"""Learning rates that change during training, one file for each way of saying how."""

from ndl.optim.lr_scheduler.base import LRScheduler as LRScheduler
from ndl.optim.lr_scheduler.base import LRScheduler as _LRScheduler
from ndl.optim.lr_scheduler.composed import ChainedScheduler as ChainedScheduler
from ndl.optim.lr_scheduler.composed import SequentialLR as SequentialLR
from ndl.optim.lr_scheduler.cosine import CosineAnnealingLR as CosineAnnealingLR
from ndl.optim.lr_scheduler.cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from ndl.optim.lr_scheduler.cyclic import CyclicLR as CyclicLR
from ndl.optim.lr_scheduler.factor import ConstantLR as ConstantLR
from ndl.optim.lr_scheduler.factor import ExponentialLR as ExponentialLR
from ndl.optim.lr_scheduler.factor import LinearLR as LinearLR
from ndl.optim.lr_scheduler.factor import MultiStepLR as MultiStepLR
from ndl.optim.lr_scheduler.factor import PolynomialLR as PolynomialLR
from ndl.optim.lr_scheduler.factor import StepLR as StepLR
from ndl.optim.lr_scheduler.function import LambdaLR as LambdaLR
from ndl.optim.lr_scheduler.function import MultiplicativeLR as MultiplicativeLR
from ndl.optim.lr_scheduler.one_cycle import OneCycleLR as OneCycleLR
from ndl.optim.lr_scheduler.plateau import ReduceLROnPlateau as ReduceLROnPlateau
