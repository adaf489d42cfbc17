"""Install the CPU build of PyTorch, which the tests compare with, beside the Python that runs this file.

    python tools/install_torch.py [VERSION]

A bare ``pip install torch`` brings gigabytes of CUDA on Linux. Two requests never do:

1. ``pip install torch==VERSION+cpu``. The suffix is part of the version, so pip takes it from a local folder
   or a mirror that has the CPU build, and otherwise says no within seconds without downloading anything.
2. ``uv pip install --torch-backend=cpu torch==VERSION``. uv knows where PyTorch keeps its CPU builds for
   each system and takes torch from nowhere else: it fails where that place cannot be reached.

A PyTorch that is already there is left as it is. When there is none in the end, the exit status is 1 and the
message says what to do.
"""

import subprocess
import sys
from importlib import metadata

DEFAULT_VERSION = "2.13.0"
PIP_INSTALL = [sys.executable, "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "30"]

HELP = """
The CPU build of PyTorch {version} could not be installed for Python {python} in {prefix}.
The tests compare every number with PyTorch's, so they do not run without it. Either
- install a PyTorch there yourself, as the "Get started" page of PyTorch tells for your system (choose CPU);
- or choose a version that your Python has (make test TORCH=...);
- or choose a Python that has this version (make test PYTHON=... VENV=.venv-other);
and run the command again."""


def installed() -> str | None:
    """The version of the PyTorch that is here, or None."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None


def complaint(command: list[str]) -> str:
    """Run a command; what it said if it failed, else nothing."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return f"{' '.join(command[1:])}\n{done.stdout}" if done.returncode else ""


def install(version: str) -> str:
    """Try both requests; why they failed if they did, else nothing."""
    from_pip = complaint([*PIP_INSTALL, f"torch=={version}+cpu"])
    if not from_pip:
        return ""
    uv_install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
    from_uv = complaint([*PIP_INSTALL, "uv>=0.7.14"]) or complaint(
        [*uv_install, "--torch-backend=cpu", f"torch=={version}"]
    )
    return from_uv and f"{from_pip}\n{from_uv}"


def main(version: str = DEFAULT_VERSION) -> int:
    if installed():
        return 0
    print(f"Installing the CPU build of PyTorch {version} (about 200 MB, once) ...", flush=True)
    if reasons := install(version):
        python = ".".join(map(str, sys.version_info[:2]))
        print(reasons, file=sys.stderr)
        print(HELP.format(version=version, python=python, prefix=sys.prefix), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
