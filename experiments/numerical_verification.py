"""Every block and every operation against PyTorch, as a table: python experiments/numerical_verification.py

The same as ``python -m ndl.verify``; ``--help`` tells the options, ``ndl/verify/parity.py`` what is compared.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, installed or not

from ndl.verify.command import main

if __name__ == "__main__":
    sys.exit(main())
