"""A home for data on this machine, which can break off, refuse, and forget how to continue."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Home:
    """What a test's server has and how it behaves.

    Attributes:
        files: content of each path.
        ranges: whether it knows Range requests.
        cuts: for the requests to come, in order, after how many bytes to break off (None: not at all).
        answers: for the requests to come, in order, a status to give instead of an answer (None: answer).
        shift: how far off the place is that it says it continues from.
        lengths: whether it says how long an answer is.
        silence: seconds before it answers.
        asked: (path, Range header) of each request.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.ranges = True
        self.cuts: list[int | None] = []
        self.answers: list[int | None] = []
        self.shift = 0
        self.lengths = True
        self.silence = 0.0
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


def _handler(home: Home) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            home.asked.append((self.path, wanted))
            time.sleep(home.silence)
            status = home.answers.pop(0) if home.answers else None
            content = home.files.get(self.path)
            if content is None or status is not None:
                self.send_error(status or 404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and home.ranges else 0
            if start >= len(content) and start:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start + home.shift}-{len(content) - 1}/{len(content)}")
            if home.lengths:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut = home.cuts.pop(0) if home.cuts else None
            self.wfile.write(body[:cut])

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that no longer waits
                super().handle()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, bytes]], Home]]:
    """`serve({"/path": content})` starts a `Home`; each is stopped after the test."""
    pytest.importorskip("requests", reason="downloads need requests")
    pytest.importorskip("tqdm", reason="downloads need tqdm")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(files: dict[str, bytes]) -> Home:
        home = Home(files)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(home))
        home.url = f"http://127.0.0.1:{server.server_port}"
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return home

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
