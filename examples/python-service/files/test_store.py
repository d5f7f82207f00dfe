import unittest

from service.store import Store


class StoreTest(unittest.TestCase):
    def test_notes_are_numbered_from_one(self):
        store = Store()
        self.assertEqual([store.add("a")["id"], store.add("b")["id"]], [1, 2])
        self.assertEqual(store.get(2), {"id": 2, "text": "b"})

    def test_a_note_that_is_not_there(self):
        self.assertIsNone(Store().get(1))

    def test_what_is_given_out_cannot_change_what_is_kept(self):
        store = Store()
        store.add("a")["text"] = "changed"
        self.assertEqual(store.get(1)["text"], "a")
