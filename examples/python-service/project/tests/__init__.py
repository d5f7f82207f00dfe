"""Tests; each file by itself: `python3 -m unittest tests.test_health`."""
