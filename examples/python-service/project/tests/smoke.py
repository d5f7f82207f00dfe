"""The service as a client sees it: a request goes in, an answer comes out."""

import io
import json

from service.app import app


def call(method, path, body=b""):
    seen = {}
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    chunks = app(environ, lambda status, headers: seen.update(status=status))
    return seen["status"], json.loads(b"".join(chunks))


assert call("POST", "/notes", b'{"text": "buy milk"}') == ("201 Created", {"id": 1, "text": "buy milk"})
assert call("GET", "/notes/1") == ("200 OK", {"id": 1, "text": "buy milk"})
assert call("GET", "/notes/2")[0] == "404 Not Found"
assert call("GET", "/health") == ("200 OK", {"status": "ok"})
print("4 requests answered")
