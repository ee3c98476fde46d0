"""A publisher's server on this machine, and what it may serve."""

import contextlib
import hashlib
import http.server
import io
import zipfile


class Publisher(http.server.ThreadingHTTPServer):
    """Server of ``files`` (path → bytes), and of any answers by functions (path → function)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.answers = {}, {}
        self.asked = []
        self.breaks_off_at = []

    def put(self, path, content):
        """The address of some content."""
        self.files[path] = content
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        self.server.asked.append(self.path)
        with contextlib.suppress(OSError):
            self.server.answers.get(self.path, self.answer)(self)

    def answer(self, _):
        content = self.server.files.get(self.path)
        if content is None:
            return self.send_error(404)
        self.send(
            content, cut=self.server.breaks_off_at.pop(0) if self.server.breaks_off_at else None
        )

    def send(self, content, status=200, cut=None, **headers):
        self.send_response(status)
        for name, value in ({"Content_Length": len(content)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content[:cut])

    def send_without_end(self, status=200, **headers):
        """Chunks for as long as somebody reads them, and two hundred megabytes at most."""
        self.send_response(status)
        for name, value in ({"Transfer_Encoding": "chunked"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b"%x\r\n%s\r\n" % (10**6, bytes(10**6)))

    def log_message(self, *_):
        pass


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def names(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def zipped(*members, packed=zipfile.ZIP_DEFLATED):
    """A zip of pairs: name, or description, and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return buffer.getvalue()
