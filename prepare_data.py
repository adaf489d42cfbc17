#!/usr/bin/env python3
"""Fetch MNIST, CIFAR-10 and Tiny Shakespeare, check them, and put them under data/ or $NDL_DATA_ROOT.

python prepare_data.py [--only mnist|cifar10|shakespeare] [--source DIR_OR_URL] [--root DIR]
"""

import sys

from ndl.datasets.prepare import main

if __name__ == "__main__":
    sys.exit(main())
