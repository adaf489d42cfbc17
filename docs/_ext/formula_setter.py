"""KaTeX's program behind a pipe: it sets a formula for every line it is sent, and ends when the pipe is closed.

sphinxcontrib-katex has a server behind a socket for this. Its start can fail on a busy machine (the socket is there
before the server listens), and pages that are written by several processes would share it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

PROGRAM = """
const katex = require(process.argv[1]);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    answer = { html: katex.renderToString(...JSON.parse(line)) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


class Setter:
    """``setter(tex, options)`` gives HTML. Each process that calls it has a Node.js of its own."""

    def __init__(self, node: str, katex: Path) -> None:
        self.command = [node, "-e", PROGRAM, str(katex)]
        self.running: tuple[int, subprocess.Popen[str]] | None = None

    def __call__(self, tex: str, options: dict[str, Any] | None = None) -> str:
        """Raises ValueError for a formula that KaTeX does not understand: that stops the build."""
        if self.running is None or self.running[0] != os.getpid():
            pipe = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1
            )
            self.running = os.getpid(), pipe
        process = self.running[1]
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([tex, {"strict": "ignore", **(options or {})}]) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline() or '{"error": "Node.js ended"}')
        if "error" in answer:
            raise ValueError(f"{answer['error']}\nin the formula: {tex}")
        return answer["html"]
