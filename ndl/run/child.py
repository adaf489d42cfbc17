"""What a process that ``multiprocessing`` spawned runs first: ``torch`` means ``ndl``, then the script's definitions."""

import sys

from ndl.run.aliases import install
from ndl.run.script import load
from ndl.run.spawned import follow

if __name__ == "__mp_main__":
    as_module, target = sys.argv[1] == "-m", sys.argv[2]
    del sys.argv[:3]
    install()
    follow(as_module, target)
    code, names = load(as_module, target)
    globals().update(names)
    exec(code, globals())
