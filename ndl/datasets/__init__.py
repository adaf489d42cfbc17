"""Real data: MNIST, CIFAR-10 and Tiny Shakespeare, as `prepare_data.py` leaves them, and small digits."""

from .cifar10 import CIFAR10
from .digits import Digits
from .errors import DamagedDataError, DataNotFoundError, ForbiddenPickleError
from .images import ImageDataset
from .mnist import MNIST
from .root import default_root
from .shakespeare import Shakespeare
from .text import CharacterText

__all__ = [
    "CIFAR10",
    "MNIST",
    "CharacterText",
    "DamagedDataError",
    "DataNotFoundError",
    "Digits",
    "ForbiddenPickleError",
    "ImageDataset",
    "Shakespeare",
    "default_root",
]
