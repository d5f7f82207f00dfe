"""The WSGI application."""

import http
import json

from service.routes import answer
from service.store import Store

STORE = Store()


def app(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    status, content = answer(STORE, environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
    start_response(f"{status} {http.HTTPStatus(status).phrase}", [("Content-Type", "application/json")])
    return [json.dumps(content).encode()]


if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    make_server("", 8000, app).serve_forever()
