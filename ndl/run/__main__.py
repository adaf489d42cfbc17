"""python -m ndl.run script.py [its options]: a PyTorch script in readable NumPy."""

import sys

from ndl.run.script import main

if __name__ == "__main__":
    sys.exit(main())
