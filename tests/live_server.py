"""A real HTTP server of video."""

import contextlib
import functools
import http.server
import io
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tests.video_files import level_frames


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; yield the address."""
    handler = functools.partial(_Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and under /camera pictures without end, as cameras in a network do."""

    def do_GET(self) -> None:
        if self.path != "/camera":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for picture in itertools.cycle(_pictures()):
                head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                self.wfile.write(f"{head}\r\n\r\n".encode() + picture + b"\r\n")

    def log_message(self, *arguments: object) -> None:
        pass


def _pictures() -> Iterator[bytes]:
    for frame in level_frames():
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "jpeg")
        yield file.getvalue()
