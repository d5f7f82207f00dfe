"""Which request does what: (method, path, body) to (status, answer)."""

import json

from service.health import health


def answer(store, method, path, body):
    parts = [part for part in path.split("/") if part]
    if parts == ["health"]:
        return health()
    if parts == ["notes"] and method == "POST":
        return create(store, body)
    if len(parts) == 2 and parts[0] == "notes" and parts[1].isdecimal():
        note = store.get(int(parts[1]))
        return (404, {"error": "no such note"}) if note is None else (200, note)
    return 404, {"error": "no such path"}


def create(store, body):
    return 201, store.add(json.loads(body)["text"])
