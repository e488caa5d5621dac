"""Secrets: encrypted for one place, opened by present and former keys, told to nobody."""

import base64
import copy
import json
import pickle
import traceback
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel, TypeAdapter, ValidationError

from apps.storage.conditions import Condition, Update, attribute
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Naming, Stored
from apps.storage.errors import SecretUnreadable, StoreUnavailable
from apps.storage.items.codec import Codec
from apps.storage.keyrings import Keyrings, LocalKeys
from apps.storage.repository import Repository
from apps.storage.requests.expressions import Expressions
from apps.storage.secrets import MASK, Secret, keyring
from apps.storage.table import Index, Key, Table, number
from tests.storage.shared import Endpoints, emptied

OLD, NEW, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
PLACE = ("RunSecrets", "run-1", "password")
SECRET = "hunter2, or a longer one"


class Account(Entity):
    naming: ClassVar[Naming] = Naming.CAMEL

    account_id: str
    access_token: Secret
    refresh_token: Annotated[Secret | None, Stored(name="refresh")] = None


ACCOUNTS = Table(name="Accounts", partition_key=Key("accountId"))
ACCOUNT = Account(account_id="a-1", access_token=Secret(SECRET))


@pytest.fixture
def keys(settings: Any) -> Any:
    """Says which keys this deployment has from now on."""

    def have(*keys: str) -> None:
        settings.STORAGE = {**settings.STORAGE, "ENCRYPTION_KEYS": keys}

    have(NEW)
    return have


@pytest.fixture
def codec(keys: Any) -> Codec[Account]:
    return Codec(Account, ACCOUNTS)


# --- the keyring


@given(some.text())
def test_a_secret_comes_back_from_its_place(secret: str) -> None:
    sealed = LocalKeys([NEW]).seal(secret, PLACE)
    assert LocalKeys([NEW]).open(sealed, PLACE) == secret


def test_a_sealed_secret_shows_neither_itself_nor_that_it_is_the_same_as_another() -> None:
    ring = LocalKeys([NEW])
    one, other = ring.seal(SECRET, PLACE), ring.seal(SECRET, PLACE)
    assert one != other
    assert SECRET.encode() not in one


@pytest.mark.parametrize(
    "elsewhere",
    [("Users", "run-1", "password"), ("RunSecrets", "run-2", "password"), ("RunSecrets", "run-1", "user")],
    ids=["table", "key", "attribute"],
)
def test_a_secret_moved_to_another_place_cannot_be_opened(elsewhere: tuple[str, str, str]) -> None:
    sealed = LocalKeys([NEW]).seal(SECRET, PLACE)
    with pytest.raises(StoreUnavailable, match="does not belong where it was found, or was damaged"):
        LocalKeys([NEW]).open(sealed, elsewhere)


def test_after_rotation_the_old_key_still_opens_and_the_new_one_seals() -> None:
    before = LocalKeys([OLD]).seal(SECRET, PLACE)
    rotated = LocalKeys([NEW, OLD])
    after = rotated.seal(SECRET, PLACE)
    assert rotated.open(before, PLACE) == SECRET
    assert LocalKeys([NEW]).open(after, PLACE) == SECRET
    assert (rotated.is_current(before), rotated.is_current(after)) == (False, True)


def test_what_an_earlier_release_sealed_still_opens() -> None:
    sealed = base64.b64decode("AXWHe7QAAQIDBAUGBwgJCgshfYyOtDu+8/COIRoXsi04HeHgQy+3iQ==")
    assert LocalKeys([NEW]).open(sealed, PLACE) == "hunter2"


def test_a_secret_of_an_unknown_key_is_told_plainly() -> None:
    sealed = LocalKeys([OTHER]).seal(SECRET, PLACE)
    for ring in (LocalKeys([NEW, OLD]), Keyrings(LocalKeys([NEW]))):
        with pytest.raises(SecretUnreadable, match="a key that is not in RUNGS_ENCRYPTION_KEYS"):
            ring.open(sealed, PLACE)


def test_a_damaged_secret_is_told_plainly_wherever_it_is_damaged_or_cut() -> None:
    ring = LocalKeys([NEW])
    sealed = ring.seal(SECRET, PLACE)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        for found in (bytes(damaged), sealed[:position]):
            for keys in (ring, Keyrings(ring)):
                with pytest.raises(SecretUnreadable, match=r"^A stored secret "):
                    keys.open(found, PLACE)


def test_neither_keys_nor_secrets_are_in_a_repr_or_a_traceback() -> None:
    ring = LocalKeys([NEW, OLD])
    assert not any(key[:8] in repr(ring) or key[:8] in str(vars(ring)) for key in (NEW, OLD))
    sealed = ring.seal(SECRET, PLACE)
    with pytest.raises(StoreUnavailable) as error:
        ring.open(sealed, ("RunSecrets", "run-2", "password"))
    told = "".join(traceback.format_exception(error.value))
    assert SECRET not in told
    assert NEW not in told


def test_a_keyring_without_keys_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        LocalKeys([])


def test_this_deployment_has_a_keyring() -> None:
    assert keyring().open(keyring().seal(SECRET, PLACE), PLACE) == SECRET


# --- the value


def stored_secret() -> Secret:
    return Secret.stored(keyring().seal(SECRET, PLACE), PLACE)


@pytest.mark.parametrize("secret", [Secret(SECRET), stored_secret()], ids=["plain", "stored"])
def test_a_secret_is_shown_to_nobody(secret: Secret) -> None:
    account = Account(account_id="a-1", access_token=secret)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{account!r}",
        str(account.model_dump()),
        account.model_dump_json(),
        str(account.__dict__),
        json.dumps(Account.model_json_schema()),
        pickle.dumps(secret).decode("latin-1"),
        pickle.dumps(account).decode("latin-1"),
    ]
    assert not [text for text in shown if "hunter" in text]
    assert secret.reveal() == SECRET
    assert account.model_dump()["access_token"] == json.loads(account.model_dump_json())["access_token"] == MASK
    assert not hasattr(secret, "__dict__")


def test_a_schema_says_that_one_may_send_it_and_never_gets_it() -> None:
    class Form(BaseModel):
        token: Secret
        other: Secret | None = None
        known: Secret = Secret("of the house")

    for mode in ("validation", "serialization"):
        schema = Form.model_json_schema(mode=mode)["properties"]  # type: ignore[arg-type]
        assert schema["token"] == {"type": "string", "format": "password", "writeOnly": True, "title": "Token"}
        assert "of the house" not in json.dumps(schema)
    assert Form.model_validate_json('{"token": "abc"}').token == Secret("abc")


def test_what_is_shown_instead_of_a_secret_is_never_taken_for_one() -> None:
    with pytest.raises(ValidationError, match="not the secret itself"):
        Account.model_validate(ACCOUNT.model_dump())


def test_no_error_of_validation_quotes_a_secret() -> None:
    for wrong in ({"access_token": SECRET}, {"account_id": "x", "access_token": [SECRET]}):
        with pytest.raises(ValidationError) as error:
            Account.model_validate(wrong)
        assert "hunter" not in str(error.value)


def test_secrets_are_equal_where_their_texts_are(keys: Any) -> None:
    assert stored_secret() == stored_secret() == Secret(SECRET)
    assert Secret(SECRET) != Secret("another")
    assert Secret(SECRET) != SECRET
    assert len({Secret(SECRET), stored_secret(), Secret("another")}) == 2
    lost = stored_secret()
    keys(OTHER)
    assert lost == copy.deepcopy(lost)
    with pytest.raises(SecretUnreadable):
        assert lost == Secret(SECRET)


def test_a_copied_or_pickled_secret_is_the_same_secret() -> None:
    for secret in (Secret(SECRET), stored_secret()):
        assert copy.copy(secret) is copy.deepcopy(secret) is secret
        assert pickle.loads(pickle.dumps(secret)) == secret  # noqa: S301  (our own)


@given(some.text().filter(lambda text: text != MASK))
def test_any_text_can_be_secret(text: str) -> None:
    adapter = TypeAdapter(Secret)
    assert adapter.validate_python(text).reveal() == text
    assert adapter.dump_python(adapter.validate_python(text)) == MASK


# --- stored in an entity


def test_a_secret_is_stored_encrypted_for_its_place_and_comes_back(codec: Codec[Account]) -> None:
    account = ACCOUNT.evolve(refresh_token=Secret("r"))
    item = codec.encode(account)
    assert set(item) == {"accountId", "version", "accessToken", "refresh"}
    assert LocalKeys([NEW]).open(item["accessToken"]["B"], ("Accounts", "a-1", "accessToken")) == SECRET
    assert codec.decode(item) == account
    over_the_wire = {**item, "refresh": {"B": base64.b64encode(item["refresh"]["B"]).decode()}}
    assert codec.decode(over_the_wire) == account
    assert "refresh" not in codec.encode(ACCOUNT)
    assert codec.decode({**item, "refresh": {"NULL": True}}).refresh_token is None


def test_an_item_whose_key_is_lost_can_be_read_and_saved_all_the_same(codec: Codec[Account], keys: Any) -> None:
    item = codec.encode(ACCOUNT)
    keys(OTHER)
    found = codec.decode(item)
    assert found.account_id == "a-1"
    assert codec.encode(found) == item
    with pytest.raises(SecretUnreadable):
        found.access_token.reveal()


def test_an_unchanged_secret_is_written_back_as_it_was_stored(codec: Codec[Account]) -> None:
    item = codec.encode(ACCOUNT)
    assert codec.encode(codec.decode(item)) == item


def test_a_secret_of_a_former_key_is_sealed_anew_by_the_next_save(codec: Codec[Account], keys: Any) -> None:
    before = codec.encode(ACCOUNT)
    keys(OTHER, NEW)
    found = codec.decode(before)
    assert (found.access_token.is_current, Secret(SECRET).is_current) == (False, False)
    after = codec.encode(found)
    keys(OTHER)
    assert codec.decode(after).access_token.reveal() == SECRET
    assert codec.decode(after).access_token.is_current


def test_a_secret_that_moves_is_opened_and_sealed_for_its_new_place(codec: Codec[Account]) -> None:
    found = codec.decode(codec.encode(ACCOUNT))
    moved = codec.encode(found.evolve(account_id="a-2", refresh_token=found.access_token))
    ring = LocalKeys([NEW])
    assert ring.open(moved["accessToken"]["B"], ("Accounts", "a-2", "accessToken")) == SECRET
    assert ring.open(moved["refresh"]["B"], ("Accounts", "a-2", "refresh")) == SECRET


def test_a_secret_copied_by_hand_into_another_item_is_read_and_not_opened(codec: Codec[Account]) -> None:
    item = codec.encode(ACCOUNT) | {"accountId": {"S": "a-2"}}
    with pytest.raises(SecretUnreadable, match="does not belong where it was found"):
        codec.decode(item).access_token.reveal()


def test_something_else_where_a_secret_should_be_names_the_field(codec: Codec[Account]) -> None:
    with pytest.raises(ValidationError, match="access_token"):
        codec.decode({"accountId": {"S": "a-1"}, "accessToken": {"S": "plain"}})


def test_a_partial_update_seals_for_the_items_key_and_nothing_compares_a_secret(codec: Codec[Account]) -> None:
    key = {"accountId": {"S": "a-1"}}
    json = codec.encode_value("access_token", Secret(SECRET), key=key)
    assert codec.decode({**key, "accessToken": json}) == ACCOUNT
    with pytest.raises(TypeError, match=r"Account\.access_token is a Secret.*cannot compare"):
        codec.encode_value("access_token", Secret(SECRET))
    with pytest.raises(TypeError, match="set to a Secret, not to a str") as error:
        codec.encode_value("access_token", SECRET, key=key)
    assert "hunter" not in str(error.value)
    with pytest.raises(TypeError, match="only its codec"):
        codec.fields["access_token"].encode(Secret(SECRET))


# --- in a repository


class Accounts(Repository[Account]):
    entity = Account
    table = ACCOUNTS
    noun = "account"


@pytest.fixture
def accounts(engine_endpoint: Endpoints, keys: Any) -> Accounts:
    store = emptied(engine_endpoint(EngineKind.DYNOXIDE), ACCOUNTS)
    return Accounts(store)


def test_a_repository_needs_to_know_nothing_of_secrets(accounts: Accounts) -> None:
    stored = accounts.add(ACCOUNT)
    assert accounts.get("a-1").access_token.reveal() == SECRET
    accounts.save(stored.evolve(access_token=Secret("new")))
    changed = accounts.update("a-1", Update(set={"refresh_token": Secret("r")}))
    assert (changed.access_token, changed.refresh_token) == (Secret("new"), Secret("r"))
    accounts.update("a-1", Update(default={"refresh_token": Secret("ignored")}, remove=()))
    accounts.put_many([ACCOUNT.evolve(account_id=f"b-{number}") for number in range(3)])
    found = accounts.get_many(["a-1", "b-0", "b-1", "b-2"], consistent=True)
    assert [account.access_token.reveal() for account in found] == ["new", SECRET, SECRET, SECRET]
    assert found[0].refresh_token == Secret("r")
    raw = accounts.store.client.scan(TableName=accounts.store.physical(ACCOUNTS))
    assert "hunter" not in str(raw["Items"])


def test_one_lost_key_does_not_make_a_list_unreadable(accounts: Accounts, keys: Any) -> None:
    accounts.add(ACCOUNT)
    keys(OTHER)
    accounts.add(ACCOUNT.evolve(account_id="a-2"))
    lost, found = accounts.get_many(["a-1", "a-2"])
    assert found.access_token.reveal() == SECRET
    with pytest.raises(SecretUnreadable):
        lost.access_token.reveal()
    accounts.save(lost.evolve(refresh_token=Secret("r")))
    keys(NEW)
    assert accounts.get("a-1").access_token.reveal() == SECRET


@pytest.mark.parametrize(
    "condition",
    [
        attribute("access_token").equals(Secret(SECRET)),
        attribute("access_token").one_of(Secret("a"), Secret("b")),
        attribute("account_id").equals("a-1") & ~attribute("access_token").differs(Secret(SECRET)),
        attribute("access_token").begins_with("h"),
    ],
    ids=["equals", "one of", "inside", "begins with"],
)
def test_a_condition_that_compares_a_secret_is_refused(accounts: Accounts, condition: Condition) -> None:
    accounts.add(ACCOUNT)
    with pytest.raises(TypeError, match="cannot compare"):
        accounts.update("a-1", Update(set={"refresh_token": Secret("r")}), condition=condition)
    there = attribute("access_token").exists() & attribute("refresh_token").missing()
    accounts.update("a-1", Update(set={"refresh_token": Secret("r")}), condition=there)


# --- where it may stand


def test_the_place_tells_keys_of_two_parts_apart(keys: Any) -> None:
    class Token(Entity):
        one: str
        two: str
        token: Secret

    codec = Codec(Token, Table(name="Tokens", partition_key=Key("one"), sort_key=Key("two")))
    item = codec.encode(Token(one="a", two="b:c", token=Secret(SECRET)))
    assert codec.decode(item).token.reveal() == SECRET
    with pytest.raises(SecretUnreadable):
        codec.decode({**item, "one": {"S": "a:b"}, "two": {"S": "c"}}).token.reveal()


def test_the_place_is_the_same_however_a_number_is_written(keys: Any) -> None:
    class Token(Entity):
        serial: int
        token: Secret

    codec = Codec(Token, Table(name="Tokens", partition_key=number("serial")))
    item = codec.encode(Token(serial=100, token=Secret(SECRET)))
    assert codec.decode({**item, "serial": {"N": "100"}}).token.reveal() == SECRET
    assert codec.place({"serial": {"N": "1E+2"}}, "token") == codec.place({"serial": {"N": "100.0"}}, "token")


class InKey(Entity):
    token: Secret


class InTemplate(Entity):
    derived: ClassVar[dict[str, str]] = {"PK": "T#{token}"}
    token: Secret


class InList(Entity):
    tokens: tuple[Secret, ...]


class Inner(BaseModel):
    token: Secret


class InModel(Entity):
    inner: Inner


@pytest.mark.parametrize(
    ("entity", "table"),
    [
        (InKey, Table(name="Tokens", partition_key=Key("token"))),
        (
            InKey,
            Table(name="Tokens", partition_key=Key("id"), indexes=(Index(name="by", partition_key=Key("token")),)),
        ),
        (InTemplate, Table(name="Tokens", partition_key=Key("PK"))),
        (InList, Table(name="Tokens", partition_key=Key("id"))),
        (InModel, Table(name="Tokens", partition_key=Key("id"))),
        (Account, None),
    ],
    ids=["table key", "index key", "template", "list", "model", "no table"],
)
def test_a_secret_where_it_cannot_be_kept_is_refused_when_the_codec_is_made(entity: Any, table: Any) -> None:
    with pytest.raises(TypeError, match="Secret"):
        Codec(entity, table)


def test_a_secret_that_has_no_stored_form_is_refused_and_not_quoted() -> None:
    with pytest.raises(ValueError, match="cannot be stored") as refused:
        Secret("hunter2\ud800")
    told = "".join(traceback.format_exception(refused.value))
    assert "hunter2\\ud800" not in told.replace('Secret("hunter2\\ud800")', "")
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None


def test_how_large_a_secret_is_cannot_be_asked(codec: Codec[Account]) -> None:
    for condition in (attribute("access_token").size.above(1), attribute("access_token").contains("h")):
        with pytest.raises(TypeError, match="cannot compare"):
            Expressions(codec).condition(condition)
