"""python -m ndl.verify: the table of all blocks with their measured errors."""

import sys

from ndl.verify.command import main

if __name__ == "__main__":
    sys.exit(main())
