"""Floor 4: probability distributions to draw from and to learn: samples, log-probabilities, entropies, divergences."""

from ndl.distributions import constraints, kl_pairs, transforms
from ndl.distributions.bernoulli import Bernoulli
from ndl.distributions.categorical import Categorical
from ndl.distributions.distribution import Distribution
from ndl.distributions.exponential import Exponential
from ndl.distributions.half_normal import HalfNormal
from ndl.distributions.independent import Independent
from ndl.distributions.kl import kl_divergence, register_kl
from ndl.distributions.laplace import Laplace
from ndl.distributions.log_normal import LogNormal
from ndl.distributions.normal import Normal
from ndl.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from ndl.distributions.transformed_distribution import TransformedDistribution
from ndl.distributions.transforms import *
from ndl.distributions.uniform import Uniform
