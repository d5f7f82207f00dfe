import io
import unittest

from service.app import app


class AppTest(unittest.TestCase):
    def test_the_status_line_and_the_type(self):
        seen = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/health", "wsgi.input": io.BytesIO()}
        body = app(environ, lambda status, headers: seen.append((status, dict(headers))))
        self.assertEqual(seen, [("200 OK", {"Content-Type": "application/json"})])
        self.assertEqual(body, [b'{"status": "ok"}'])
