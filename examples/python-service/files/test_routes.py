import unittest

from service.routes import answer
from service.store import Store


class RoutesTest(unittest.TestCase):
    def test_a_note_is_made_and_found(self):
        store = Store()
        self.assertEqual(answer(store, "POST", "/notes", b'{"text": "a"}'), (201, {"id": 1, "text": "a"}))
        self.assertEqual(answer(store, "GET", "/notes/1", b""), (200, {"id": 1, "text": "a"}))

    def test_what_is_not_there(self):
        for path in ["/notes/1", "/notes/x", "/", "/note"]:
            self.assertEqual(answer(Store(), "GET", path, b"")[0], 404)

    def test_a_body_that_is_no_note(self):
        for body in [b"", b"{", b"[]", b'{"body": 1}', b"\xff"]:
            self.assertEqual(answer(Store(), "POST", "/notes", body)[0], 400)
