import unittest

from service.health import health


class HealthTest(unittest.TestCase):
    def test_it_is_well(self):
        self.assertEqual(health(), (200, {"status": "ok"}))
