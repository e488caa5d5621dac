"""People who may sign in."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from apps.audit.entities import Actor
from apps.storage.entity import Entity, Expiry, Instant, Naming, Stamped, TimeForm, Unique
from apps.storage.secrets import Secret

LONGEST_EMAIL = 254
LONGEST_NAME = 100
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Role(StrEnum):
    """What somebody may do; `permissions.py` says what each one allows."""

    ADMIN = "admin"
    MANAGER = "manager"
    TEAM_MEMBER = "team_member"
    OPERATOR = "operator"
    SHOP_OPERATOR = "shop_operator"
    ANALYST = "analyst"
    SUPPORT = "support"
    VIEWER = "viewer"


BACK_OFFICE: Final = frozenset({Role.ADMIN, Role.SUPPORT, Role.VIEWER})


def folded(text: str) -> str:
    """Text as it is compared: one Unicode form, no case, no space around it."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def email_address(text: str) -> str:
    """The address as it is stored and compared. Raises `ValueError` with a sentence for what cannot be one."""
    address = folded(text)
    if len(address) > LONGEST_EMAIL or not _EMAIL.fullmatch(address) or not address.isprintable():
        raise ValueError("Enter an e-mail address such as name@example.org.")
    return address


def display_name(text: str) -> str:
    """The name without space around it. Raises `ValueError` with a sentence for what can be none."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"Enter a name of at most {LONGEST_NAME} characters.")
    return name


class User(Stamped):
    """A person who may sign in.

    `auth_epoch` is part of every session of theirs: raising it ends them all. `has_second_factor` says that a confirmed
    `SecondFactor` is stored, and changes in one transaction with it. `time_zone` is an IANA name that was known when it
    was chosen; empty, the browser says. A user read from a list (through the directory index) has only id, name,
    e-mail, roles and `is_active`.
    """

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS
    derived: ClassVar[Mapping[str, str]] = {"directory": "users", "name_key": "{name_key}"}
    unique: ClassVar[tuple[Unique, ...]] = (Unique("email", message="Somebody uses this e-mail address already."),)

    user_id: str
    email: Annotated[str, AfterValidator(email_address)]
    name: Annotated[str, AfterValidator(display_name)]
    roles: frozenset[Role] = frozenset()
    password_hash: str = Field(default="", repr=False, exclude=True)
    auth_epoch: int = 0
    has_second_factor: bool = False
    time_zone: str = ""
    is_active: bool = True

    @property
    def name_key(self) -> str:
        """The name as the directory sorts it."""
        return folded(self.name)

    @property
    def has_password(self) -> bool:
        """Whether they ever chose one: who comes by single sign-on need not."""
        return bool(self.password_hash)

    @property
    def is_authenticated(self) -> bool:
        """True: this is somebody."""
        return True

    @property
    def is_anonymous(self) -> bool:
        """False: this is somebody."""
        return False

    @property
    def is_staff(self) -> bool:
        """Whether the back office is open to them at all."""
        return self.is_active and bool(self.roles & BACK_OFFICE)

    @property
    def is_administrator(self) -> bool:
        """Whether they may let others in and shut them out."""
        return self.is_active and Role.ADMIN in self.roles

    def acting(self, address: str = "", *, via: str = "") -> Actor:
        """This user as the audit log names who acts; `address` is where the request came from, `via` what sent it."""
        return Actor(actor_id=self.user_id, name=self.name, address=address, via=via)

    def __str__(self) -> str:
        return self.name


class ApiToken(Entity):
    """What lets a program act as a user, until `expires_at`; stored under the hash of its text, which nobody keeps.

    `hint` is the end of that text. `last_used_at` is right to within five minutes.
    """

    token_hash: str
    user_id: str
    name: Annotated[str, AfterValidator(display_name)]
    hint: str
    created_at: Instant
    last_used_at: Instant | None = None
    expires_at: Expiry

    @property
    def as_via(self) -> str:
        """How the audit log names it where it acted for its owner."""
        return f"token {self.name} (…{self.hint})"


class Identity(Entity):
    """Who somebody is at a provider of single sign-on, and which user that is here.

    `identity` is `identity_key(issuer, subject)`; `email` is the address that the provider told when the two were
    connected, for the eye alone.
    """

    unique: ClassVar[tuple[Unique, ...]] = (
        Unique("user_id", within="issuer", message="This account is connected already. Disconnect it first."),
    )

    identity: str
    issuer: str
    subject: str
    user_id: str
    email: str = ""
    created_at: Instant


def identity_key(issuer: str, subject: str) -> str:
    """What an identity is stored under: the two parts, escaped so that no two pairs look alike."""
    return "#".join(part.replace("%", "%25").replace("#", "%23") for part in (issuer, subject))


class SignIn(Entity):
    """When somebody last signed in, from where and with what; apart from the user, whose edits it must not disturb."""

    user_id: str
    at: Instant
    address: str = ""
    device: str = ""


class LinkKind(StrEnum):
    """What a link in a mail is for."""

    INVITATION = "invitation"
    RESET = "reset"


class Invitation(Entity):
    """What lets somebody choose a password once, until `expires_at`; stored under the hash of the link's token.

    It holds for the e-mail address and `auth_epoch` that the user had when it was made.
    """

    token_hash: str
    kind: LinkKind
    user_id: str
    email: str
    auth_epoch: int
    created_at: Instant
    created_by: str
    expires_at: Expiry


class SecondFactor(Entity):
    """What shows, beside the password, who somebody is: the key of an authenticator app, and codes for when it is lost.

    Until `confirmed_at` it is being set up, by the browser that knows `setup`, and ends by itself. `last_step` is the
    newest time step of which a code was accepted: no code of it, or of an earlier one, is accepted again. A recovery
    code is accepted for as long as its hash is among `recovery_hashes`.
    """

    user_id: str
    key: Secret
    setup: str = Field(default="", repr=False)
    confirmed_at: Instant | None = None
    last_step: int = 0
    recovery_hashes: frozenset[str] = Field(default=frozenset(), repr=False)
    expires_at: Expiry | None = None


class Anonymous:
    """Nobody has signed in: what a request's `user` is then."""

    user_id: Final = ""
    email: Final = ""
    name: Final = ""
    roles: Final[frozenset[Role]] = frozenset()
    auth_epoch: Final = 0
    has_second_factor: Final = False
    time_zone: Final = ""
    is_active: Final = False
    is_authenticated: Final = False
    is_anonymous: Final = True
    is_staff: Final = False

    def __str__(self) -> str:
        return "nobody"


ANONYMOUS: Final = Anonymous()
