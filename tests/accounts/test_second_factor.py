"""The second factor: set up, asked for at sign-in, renewed and switched off."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import middleware, services, wiring
from apps.accounts.entities import Role, User
from apps.accounts.errors import WrongCode
from apps.accounts.one_time_codes import matching_step, new_recovery_codes, recovery_hash
from apps.errors import Conflict, Forbidden, NotFound
from apps.storage.connection import Store
from apps.storage.errors import SecretUnreadable
from apps.storage.sessions import session_hash
from tests.accounts.factors import KEY, App, enter, set_up
from tests.accounts.people import ADMIN, PASSWORD
from tests.accounts.site import QuickArgon2

SignIn = Callable[..., HttpResponse]
WRONG = "This code is not right, or was used already."


@pytest.fixture
def client(ada: User, sign_in: SignIn) -> Client:
    client = Client()
    assert sign_in(client).status_code == 302
    return client


@pytest.fixture
def app(client: Client) -> App:
    return set_up(client)


@pytest.fixture
def half(app: App, sign_in: SignIn) -> Client:
    """A browser that showed the right password and is asked for a code."""
    half = Client()
    assert sign_in(half)["Location"] == "/account/sign-in/code/"
    return half


def actions(user: User) -> list[str]:
    return [entry.action for entry in wiring.audit_log().of(f"Users#{user.user_id}").items]


# --- setting up ------------------------------------------------------------------------------------------------------


def test_setting_up_asks_for_the_password_and_then_for_a_code(client: Client, ada: User) -> None:
    refused = client.post("/account/second-factor/", {"password": "wrong horse battery"})
    assert refused.status_code == 422
    assert "This is not your current password." in refused.content.decode()
    assert client.get("/account/second-factor/confirm/")["Location"] == "/account/second-factor/"
    client.post("/account/second-factor/", {"password": PASSWORD})
    wrong = client.post("/account/second-factor/confirm/", {"code": "000000"})
    assert wrong.status_code == 422
    assert WRONG in wrong.content.decode()
    assert not wiring.users().get(ada.user_id).has_second_factor


def test_the_qr_code_is_an_image_that_the_content_security_policy_allows(client: Client) -> None:
    client.post("/account/second-factor/", {"password": PASSWORD})
    page = client.get("/account/second-factor/confirm/").content.decode()
    assert 'src="data:image/svg+xml' in page
    assert KEY.search(page)


def test_ten_recovery_codes_are_shown_once_and_only_their_hashes_are_stored(
    client: Client, ada: User, app: App, store: Store
) -> None:
    assert len(app.recovery) == 10
    later = client.get("/account/second-factor/").content.decode()
    assert "10 left" in later
    for table in ("SecondFactors", "Users", "AuditLog", "WebSessions"):
        stored = str(store.client.scan(TableName=f"{store.prefix}-dev-{table}")["Items"])
        assert app.key not in stored
        for code in app.recovery:
            assert code not in stored
            assert code.replace("-", "") not in stored
    factor = wiring.second_factors().in_use_by(ada.user_id)
    assert factor is not None
    assert factor.key.reveal() == app.key
    assert factor.recovery_hashes == {recovery_hash(code, user_id=ada.user_id) for code in app.recovery}
    assert app.key not in repr(factor)
    assert wiring.users().get(ada.user_id).has_second_factor
    assert actions(ada)[0] == "user.second_factor_set_up"


def test_sessions_begun_without_it_end_and_this_one_gets_another_key(
    client: Client, sign_in: SignIn, ada: User
) -> None:
    other, before = Client(), client.cookies["sessionid"].value
    sign_in(other)
    app = set_up(client)
    assert other.get("/").status_code == 302
    assert client.get("/").content == b"Hello Ada"
    assert client.cookies["sessionid"].value != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert thief.get("/").status_code == 302
    both = {"password": PASSWORD, "code": app.code()}
    assert client.post("/account/second-factor/switch-off/", both).status_code == 302


def test_whoever_is_signed_out_meanwhile_puts_none_in_use(client: Client, ada: User) -> None:
    client.post("/account/second-factor/", {"password": PASSWORD})
    pending = wiring.second_factors().get(ada.user_id, consistent=True)
    wiring.users().end_sessions(ada.user_id, now=datetime.now(UTC))
    with pytest.raises(Conflict):
        services.confirm_second_factor(
            wiring.users(),
            wiring.second_factors(),
            user=ada,
            setup=pending.setup,
            code=pyotp.TOTP(pending.key.reveal()).now(),
            actor=ada.acting(),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
            sessions=wiring.web_sessions(),
        )
    assert wiring.second_factors().in_use_by(ada.user_id) is None


def test_the_key_is_sealed_for_its_owner_and_opens_nowhere_else(
    app: App, ada: User, make_user: Callable[..., User], store: Store
) -> None:
    eve = make_user(email="eve@example.org", name="Eve")
    table = store.physical(wiring.second_factors().table)
    (item,) = store.client.scan(TableName=table)["Items"]
    store.client.put_item(TableName=table, Item={**item, "user_id": {"S": eve.user_id}})
    moved = wiring.second_factors().in_use_by(eve.user_id)
    assert moved is not None
    with pytest.raises(SecretUnreadable):
        moved.key.reveal()


def test_the_key_is_shown_only_to_the_browser_that_gave_the_password(client: Client, sign_in: SignIn) -> None:
    other = Client()
    sign_in(other)
    client.post("/account/second-factor/", {"password": PASSWORD})
    answer = other.get("/account/second-factor/confirm/")
    assert answer["Location"] == "/account/second-factor/"


def test_setting_up_ends_after_a_quarter_of_an_hour(client: Client, ada: User) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=16)
    factor = services.begin_second_factor(
        wiring.second_factors(),
        user=ada,
        password=PASSWORD,
        address="192.0.2.1",
        now=long_ago,
        throttle=wiring.throttle(),
        passwords=wiring.passwords(),
    )
    session = client.session
    session["second_factor_setup"] = factor.setup
    session.save()
    assert client.get("/account/second-factor/confirm/")["Location"] == "/account/second-factor/"
    assert "took too long" in client.get("/account/second-factor/").content.decode()


def test_one_in_use_is_not_replaced_by_setting_up_again(client: Client, ada: User, app: App) -> None:
    answer = client.post("/account/second-factor/", {"password": PASSWORD})
    assert answer.status_code == 422
    factor = wiring.second_factors().in_use_by(ada.user_id)
    assert factor is not None
    assert factor.key.reveal() == app.key


# --- signing in ------------------------------------------------------------------------------------------------------


def test_the_right_password_alone_signs_nobody_in(half: Client) -> None:
    assert half.get("/")["Location"] == "/account/sign-in/"
    assert half.get("/whoever/").content == b"nobody False"
    assert half.get("/api/me").status_code == 401
    assert half.get("/account/tokens/").status_code == 302


def test_a_code_of_the_app_signs_in_and_leads_where_one_wanted_to_go(app: App, sign_in: SignIn) -> None:
    half = Client()
    assert sign_in(half, next="/launch/")["Location"] == "/account/sign-in/code/?next=%2Flaunch%2F"
    page = half.get("/account/sign-in/code/?next=/launch/").content.decode()
    assert 'name="next" value="/launch/"' in page
    answer = enter(half, app.code(), next="/launch/")
    assert answer["Location"] == "/launch/"
    assert half.get("/").content == b"Hello Ada"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_after_the_code_one_is_only_led_to_pages_of_ours(half: Client, app: App, wanted: str) -> None:
    assert b"evil.example" not in half.get("/account/sign-in/code/", {"next": wanted}).content
    assert enter(half, app.code(), next=wanted)["Location"] == "/"


def test_the_session_key_changes_at_both_steps(client: Client, app: App, sign_in: SignIn) -> None:
    half = Client()
    half.get("/account/sign-in/")
    sign_in(half)
    first = half.cookies["sessionid"].value
    enter(half, app.code())
    assert half.cookies["sessionid"].value != first
    assert wiring.web_sessions().find(session_hash(first), consistent=True) is None
    planted = Client()
    planted.cookies["sessionid"] = first
    assert planted.get("/whoever/").content == b"nobody False"


def test_a_code_is_good_once(app: App, half: Client, sign_in: SignIn) -> None:
    code = app.code()
    assert enter(half, code).status_code == 302
    again = Client()
    sign_in(again)
    refused = enter(again, code)
    assert refused.status_code == 422
    assert WRONG in refused.content.decode()
    assert code not in refused.content.decode().replace(f'value="{code}"', "")


def test_a_code_that_several_browsers_show_at_once_signs_one_of_them_in(
    app: App, ada: User, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    user, code, passed = wiring.users().get(ada.user_id), app.code(), []

    def one(number: int) -> None:
        try:
            services.pass_second_factor(
                wiring.second_factors(),
                wiring.sign_ins(),
                user=user,
                code=code,
                actor=ADMIN,
                address="192.0.2.1",
                device="a test",
                now=datetime.now(UTC),
                throttle=wiring.code_throttle(),
                audit=wiring.audit_log(),
            )
        except WrongCode:
            return
        passed.append(number)

    in_threads(3, one)
    assert len(passed) == 1
    assert actions(ada).count("user.signed_in") == 2  # the other is Ada's own, by her password


def test_a_clock_that_is_one_step_off_is_tolerated_and_two_are_not() -> None:
    key, now = pyotp.random_base32(), datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC)
    for steps, known in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        code = pyotp.TOTP(key).at(now + timedelta(seconds=30 * steps))
        assert (matching_step(key, code, now=now) is not None) is known


def test_codes_are_those_of_the_standard() -> None:
    # RFC 6238, appendix B, of whose eight digits an app shows the last six.
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert matching_step(key, code, now=datetime.fromtimestamp(seconds, tz=UTC)) == seconds // 30


def test_half_signed_in_ends_after_five_minutes(half: Client, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    session = half.session
    user_id, epoch, until = session["half_signed_in"]
    session["half_signed_in"] = [user_id, epoch, until - 301]
    session.save()
    answer = enter(half, app.code(), next="/launch/")
    assert answer["Location"] == "/account/sign-in/?next=%2Flaunch%2F"
    assert "That took too long. Sign in again." in half.get(answer["Location"]).content.decode()
    assert half.get("/").status_code == 302


def test_signing_out_everywhere_ends_what_is_half_signed_in_too(half: Client, client: Client, app: App) -> None:
    client.post("/account/sign-out-everywhere/")
    assert enter(half, app.code())["Location"] == "/account/sign-in/"
    assert half.get("/").status_code == 302


def test_the_code_page_is_nothing_to_whoever_showed_no_password(store: Store) -> None:
    assert Client().get("/account/sign-in/code/")["Location"] == "/account/sign-in/"
    assert enter(Client(), "123456")["Location"] == "/account/sign-in/"


def test_wrong_codes_count_from_every_address_and_the_wait_is_said(app: App, sign_in: SignIn, settings: Any) -> None:
    for number in range(5):
        stranger = Client(REMOTE_ADDR=f"203.0.113.{number}")
        sign_in(stranger)
        assert enter(stranger, "000000").status_code == 422
    stranger = Client(REMOTE_ADDR="203.0.113.77")
    sign_in(stranger)
    answer = enter(stranger, app.code())
    assert answer.status_code == 429
    assert 25 <= int(answer["Retry-After"]) <= 30
    assert "Too many attempts. Try again in" in answer.content.decode()
    assert stranger.get("/").status_code == 302


def test_strangers_who_fail_do_not_lock_out_an_address_that_signed_in_before(app: App, sign_in: SignIn) -> None:
    home = Client(REMOTE_ADDR="198.51.100.4")
    sign_in(home)
    assert enter(home, app.recovery[0]).status_code == 302
    for _ in range(6):
        stranger = Client(REMOTE_ADDR="203.0.113.7")
        sign_in(stranger)
        enter(stranger, "000000")
    again = Client(REMOTE_ADDR="198.51.100.4")
    sign_in(again)
    assert enter(again, app.code()).status_code == 302


def test_support_unlocks_codes_too_from_strange_and_from_known_addresses(
    app: App, sign_in: SignIn, ada: User, make_user: Callable[..., User]
) -> None:
    sam = make_user(email="sam@example.org", roles=(Role.SUPPORT,))
    home, strange = Client(REMOTE_ADDR="198.51.100.4"), Client(REMOTE_ADDR="203.0.113.7")
    sign_in(home)
    assert enter(home, app.recovery[0]).status_code == 302
    for browser in (home, strange):
        sign_in(browser)
        assert [enter(browser, "000000").status_code for _ in range(6)] == [422] * 5 + [429]
    services.unlock(
        wiring.throttle(), user=ada, by=sam, actor=sam.acting(), now=datetime.now(UTC), audit=wiring.audit_log()
    )
    assert [enter(browser, code).status_code for browser, code in ((home, app.code()), (strange, app.recovery[1]))] == [
        302,
        302,
    ]


def test_tries_while_no_code_can_be_looked_at_do_not_count(app: App, half: Client, ada: User) -> None:
    factors = wiring.second_factors()
    table, key = factors.store.physical(factors.table), {"user_id": {"S": ada.user_id}}
    sealed = factors.store.client.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    spoilt = {"B": sealed["key"]["B"][::-1]}
    factors.store.client.put_item(TableName=table, Item={**sealed, "key": spoilt})
    for _ in range(8):
        assert enter(half, app.code()).status_code == 503
    factors.store.client.put_item(TableName=table, Item=sealed)
    assert enter(half, app.code()).status_code == 302


def test_the_code_needs_the_csrf_token(app: App, ada: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', strict.get("/account/sign-in/").content.decode())
    assert token is not None
    sent = {"email": ada.email, "password": PASSWORD, "csrfmiddlewaretoken": token.group(1)}
    assert strict.post("/account/sign-in/", sent).status_code == 302
    assert enter(strict, app.code()).status_code == 403


# --- recovery codes --------------------------------------------------------------------------------------------------


def test_a_recovery_code_signs_in_once_and_says_how_many_are_left(
    app: App, half: Client, sign_in: SignIn, ada: User
) -> None:
    typed = app.recovery[3].upper().replace("-", " ")
    assert enter(half, typed, **{"with": "recovery"}).status_code == 302
    assert "9 codes are left" in half.get("/account/").content.decode()
    used, signed_in = sorted(wiring.audit_log().of(f"Users#{ada.user_id}").items[:2], key=lambda entry: entry.action)
    assert (used.action, used.after) == ("user.recovery_code_used", {"left": 9})
    assert signed_in.action == "user.signed_in"
    assert signed_in.after["by"] == "password and recovery code"
    again = Client()
    sign_in(again)
    assert enter(again, app.recovery[3], **{"with": "recovery"}).status_code == 422
    assert enter(again, app.recovery[4], **{"with": "recovery"}).status_code == 302


def test_the_last_recovery_codes_come_with_advice(app: App, sign_in: SignIn) -> None:
    said = []
    for code in app.recovery:
        browser = Client()
        sign_in(browser)
        assert enter(browser, code).status_code == 302
        said.append(html.unescape(browser.get("/account/").content.decode()))
    assert "Make new ones" not in said[5]
    assert "3 codes are left. Make new ones under Account, Second factor." in said[6]
    assert "That was your last recovery code." in said[9]


def test_new_recovery_codes_need_both_factors_and_end_the_old_ones(
    client: Client, app: App, sign_in: SignIn, ada: User
) -> None:
    address = "/account/second-factor/recovery-codes/"
    assert client.post(address, {"password": "wrong", "code": app.code()}).status_code == 422
    assert client.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 422
    page = client.post(address, {"password": PASSWORD, "code": app.code()}).content.decode()
    fresh = re.findall(r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}", page)
    assert len(set(fresh)) == 10
    assert not set(fresh) & set(app.recovery)
    assert actions(ada)[0] == "user.recovery_codes_renewed"
    browser = Client()
    sign_in(browser)
    assert enter(browser, app.recovery[0]).status_code == 422
    assert enter(browser, fresh[0]).status_code == 302


def test_recovery_codes_are_unlike_each_other_and_hashed_for_one_user() -> None:
    codes = [code for _ in range(20) for code in new_recovery_codes()]
    assert len(set(codes)) == 200
    assert recovery_hash(codes[0], user_id="a") != recovery_hash(codes[0], user_id="b")


# --- switched off, reset ---------------------------------------------------------------------------------------------


def test_switching_off_needs_both_factors_and_leaves_nothing(
    client: Client, app: App, sign_in: SignIn, ada: User
) -> None:
    address = "/account/second-factor/switch-off/"
    assert client.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 422
    assert client.post(address, {"password": "wrong", "code": app.code()}).status_code == 422
    assert wiring.users().get(ada.user_id).has_second_factor
    assert client.post(address, {"password": PASSWORD, "code": app.code()}).status_code == 302
    assert wiring.second_factors().find(ada.user_id, consistent=True) is None
    assert actions(ada)[0] == "user.second_factor_switched_off"
    assert sign_in(Client())["Location"] == "/"


def test_an_administrator_takes_it_away_and_all_sessions_end(
    client: Client, app: App, half: Client, sign_in: SignIn, ada: User, make_user: Callable[..., User]
) -> None:
    def reset(by: User) -> None:
        services.reset_second_factor(
            wiring.users(),
            wiring.second_factors(),
            user=wiring.users().get(ada.user_id),
            by=by,
            actor=by.acting(),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
            sessions=wiring.web_sessions(),
        )

    with pytest.raises(Forbidden):
        reset(make_user(email="sam@example.org", roles=(Role.SUPPORT,)))
    with pytest.raises(NotFound):
        reset(make_user(email="vera@example.org", roles=(Role.VIEWER,)))
    assert client.get("/").status_code == 200
    reset(make_user(email="grace@example.org", roles=(Role.ADMIN,)))
    assert client.get("/").status_code == 302
    assert enter(half, app.code())["Location"] == "/account/sign-in/"
    assert sign_in(Client())["Location"] == "/"
    assert "user.second_factor_reset" in actions(ada)


# --- asked for by roles ----------------------------------------------------------------------------------------------


def test_roles_that_need_one_are_led_to_set_it_up_before_anything_else(
    client: Client, settings: Any, ada: User
) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({Role.OPERATOR})
    assert client.get("/launch/")["Location"] == "/account/second-factor/?next=%2Flaunch%2F"
    assert client.get("/home-async/")["Location"].startswith("/account/second-factor/")
    assert client.get("/account/sign-in/?next=/launch/")["Location"] == "/account/second-factor/?next=%2Flaunch%2F"
    assert client.get("/api/me").status_code == 401
    assert client.get("/whoever/").content == b"nobody False"
    assert client.post("/account/tokens/", {"name": "x", "days": 7}).status_code == 302
    assert "Your role asks for a second factor" in client.get("/account/second-factor/").content.decode()
    app = set_up(client)
    assert "Your role asks for" not in app.shown
    assert "Your second factor is on. All other browsers are signed out." in app.shown
    assert client.get("/").content == b"Hello Ada"


def test_other_roles_are_asked_for_nothing(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({Role.ADMIN})
    assert client.get("/").content == b"Hello Ada"


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_what_signing_in_costs(ada: User, client: Client, sign_in: SignIn, costs: Any) -> None:
    browser = Client()
    with costs(requests=12, gets=3, queries=0):
        assert sign_in(browser).status_code == 302
    app, half = set_up(client), Client()
    with costs(requests=12, gets=3, queries=0):  # no audit entry yet
        assert sign_in(half).status_code == 302
    with costs(requests=11, gets=4, queries=0):
        assert enter(half, app.code()).status_code == 302


def test_a_page_costs_no_more_with_a_second_factor(client: Client, app: App, half: Client, costs: Any) -> None:
    enter(half, app.code())
    with costs(requests=2, gets=2):
        assert half.get("/").content == b"Hello Ada"


def test_a_hash_with_former_parameters_is_replaced_at_sign_in(
    ada: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuickArgon2, "time_cost", 2)
    former = wiring.users().get(ada.user_id).password_hash
    assert sign_in(Client()).status_code == 302
    replaced = wiring.users().get(ada.user_id).password_hash
    assert replaced != former
    assert "t=2" in replaced
    assert sign_in(Client()).status_code == 302
    assert wiring.users().get(ada.user_id).password_hash == replaced


def test_a_password_changed_meanwhile_is_not_undone_by_a_replaced_hash(ada: User) -> None:
    changed = wiring.users().save(ada.evolve(password_hash="argon2$new"))
    wiring.users().replace_hash(ada, "argon2$former")
    assert wiring.users().get(ada.user_id) == changed


def test_signing_in_is_recorded_with_address_and_device(ada: User, sign_in: SignIn) -> None:
    sign_in(Client(REMOTE_ADDR="198.51.100.4", headers={"User-Agent": "curl/8.5.0"}))
    entry = wiring.audit_log().of(f"Users#{ada.user_id}").items[0]
    assert (entry.action, entry.actor_id, entry.address) == ("user.signed_in", ada.user_id, "198.51.100.4")
    assert entry.after == {"by": "password", "device": "curl"}


def test_pages_of_the_second_factor_are_never_cached(client: Client, half: Client) -> None:
    assert "no-store" in client.get("/account/second-factor/")["Cache-Control"]
    assert "no-store" in half.get("/account/sign-in/code/")["Cache-Control"]


def test_nothing_that_opens_an_account_is_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], sign_in: SignIn
) -> None:
    app = set_up(client)
    half = Client()
    sign_in(half)
    code = app.recovery[0]
    enter(half, code)
    told = capsys.readouterr()
    for secret in (app.key, code, PASSWORD):
        assert secret not in caplog.text + told.out + told.err


def test_the_half_signed_in_state_lasts_as_long_as_it_is_stored(half: Client) -> None:
    stored = wiring.web_sessions().find(session_hash(half.cookies["sessionid"].value), consistent=True)
    assert stored is not None
    assert stored.user_id is None
    assert stored.expires_at - datetime.now(UTC) <= middleware.HALF_SIGNED_IN_LASTS
