"""Secrets: sealed for one place, opened by present and former keys, told to nobody."""

import base64
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.storage.errors import StoreUnavailable
from apps.storage.secrets import Keyring, keyring

OLD, NEW, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
PLACE = ("RunSecrets", "run-1", "password")
SECRET = "hunter2, or a longer one"


@given(some.text())
def test_a_secret_comes_back_from_its_place(secret: str) -> None:
    sealed = Keyring([NEW]).seal(secret, PLACE)
    assert Keyring([NEW]).open(sealed, PLACE) == secret


def test_a_sealed_secret_shows_neither_itself_nor_that_it_is_the_same_as_another() -> None:
    ring = Keyring([NEW])
    one, other = ring.seal(SECRET, PLACE), ring.seal(SECRET, PLACE)
    assert one != other
    assert SECRET.encode() not in one


@pytest.mark.parametrize(
    "elsewhere",
    [("Users", "run-1", "password"), ("RunSecrets", "run-2", "password"), ("RunSecrets", "run-1", "user")],
    ids=["table", "key", "attribute"],
)
def test_a_secret_moved_to_another_place_cannot_be_opened(elsewhere: tuple[str, str, str]) -> None:
    sealed = Keyring([NEW]).seal(SECRET, PLACE)
    with pytest.raises(StoreUnavailable, match="does not belong where it was found, or was damaged"):
        Keyring([NEW]).open(sealed, elsewhere)


def test_after_rotation_the_old_key_still_opens_and_the_new_one_seals() -> None:
    before = Keyring([OLD]).seal(SECRET, PLACE)
    rotated = Keyring([NEW, OLD])
    assert rotated.open(before, PLACE) == SECRET
    assert Keyring([NEW]).open(rotated.seal(SECRET, PLACE), PLACE) == SECRET


def test_a_secret_of_an_unknown_key_is_told_plainly() -> None:
    sealed = Keyring([OTHER]).seal(SECRET, PLACE)
    with pytest.raises(StoreUnavailable, match="a key that is not in RUNGS_ENCRYPTION_KEYS"):
        Keyring([NEW, OLD]).open(sealed, PLACE)


def test_a_damaged_secret_is_told_plainly_wherever_it_is_damaged_or_cut() -> None:
    ring = Keyring([NEW])
    sealed = ring.seal(SECRET, PLACE)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        for found in (bytes(damaged), sealed[:position]):
            with pytest.raises(StoreUnavailable, match=r"^A stored secret "):
                ring.open(found, PLACE)


def test_neither_keys_nor_secrets_are_in_a_repr_or_a_traceback() -> None:
    ring = Keyring([NEW, OLD])
    assert not any(key[:8] in repr(ring) or key[:8] in str(vars(ring)) for key in (NEW, OLD))
    sealed = ring.seal(SECRET, PLACE)
    with pytest.raises(StoreUnavailable) as error:
        ring.open(sealed, ("RunSecrets", "run-2", "password"))
    told = "".join(traceback.format_exception(error.value))
    assert SECRET not in told
    assert NEW not in told


def test_a_keyring_without_keys_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Keyring([])


def test_this_deployment_has_a_keyring() -> None:
    assert keyring().open(keyring().seal(SECRET, PLACE), PLACE) == SECRET
