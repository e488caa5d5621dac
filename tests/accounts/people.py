"""Who acts in these tests, with what password."""

from apps.accounts.entities import Role, User
from apps.accounts.passwords import Passwords
from apps.audit.entities import Actor

PASSWORD = "correct horse battery"
ADMIN = Actor(actor_id="admin-1", name="An admin", address="192.0.2.9")
BOSS = User(user_id="admin-1", email="admin-1@example.org", name="An admin", roles=frozenset({Role.ADMIN}))


class CountingPasswords(Passwords):
    """Real hashing that counts how often a password was looked at."""

    looks = 0

    def matches(self, password: str, encoded: str | None) -> bool:
        self.looks += 1
        return super().matches(password, encoded)
