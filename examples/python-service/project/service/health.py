"""Says that the service lives."""


def health():
    return 200, {"status": "ok"}
