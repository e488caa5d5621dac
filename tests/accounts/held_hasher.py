"""Argon2 that can be held, to see how much of it runs at once."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher


class HeldArgon2(Argon2PasswordHasher):
    """Counts how many hash at once, and holds them until told to go."""

    time_cost, memory_cost, parallelism = 1, 64, 1
    go = threading.Event()
    lock = threading.Lock()
    running = 0
    most = 0

    def encode(self, password: str, salt: str) -> str:
        cls = type(self)
        with cls.lock:
            cls.running += 1
            cls.most = max(cls.most, cls.running)
        cls.go.wait(10)
        try:
            return super().encode(password, salt)
        finally:
            with cls.lock:
                cls.running -= 1
