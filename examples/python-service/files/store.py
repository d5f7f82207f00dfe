"""Notes in memory."""

import itertools
import threading


class Store:
    def __init__(self):
        self._notes = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, text):
        with self._lock:
            note = {"id": next(self._ids), "text": text}
            self._notes[note["id"]] = note
        return dict(note)

    def get(self, number):
        note = self._notes.get(number)
        return None if note is None else dict(note)
