"""The panels of the Harbor Vale Mutual policy system, a company that does not exist."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from apps.terminal.demohost.book import DemoPolicy
from apps.terminal.demohost.datastream import TURQUOISE, YELLOW, Input, Item, Screen, Text, address, inputs, orders

COMPANY = "HARBOR VALE MUTUAL INSURANCE COMPANY"
_MESSAGE_ROW, _KEYS_ROW = 22, 24
_RULE = "-" * 78

_LIGHTHOUSE = (
    "    .  |  .",
    "     \\_|_/",
    "   ---[o]---",
    "      |#|",
    "     /|#|\\",
    " ~~~/_|#|_\\~~~",
    "~~ ~~~ ~~~ ~~ ~",
)

_TITLES = {
    "HVM010": "POLICY ADMINISTRATION SYSTEM",
    "HVM100": "MAIN MENU",
    "HVM210": "POLICY INQUIRY",
    "HVM220": "POLICY DETAIL",
}
_KEYS = {
    "HVM010": "ENTER=Sign on   PF3=Exit",
    "HVM100": "ENTER=Select   PF3=Sign off   PF12=Sign off",
    "HVM210": "ENTER=Inquire   PF3=Menu   PF12=Sign off",
    "HVM220": "PF3=Back   PF12=Sign off",
}
_BODIES: dict[str, tuple[Item, ...]] = {
    "HVM010": (
        *(Text(5 + i, 34, line, colour=TURQUOISE) for i, line in enumerate(_LIGHTHOUSE)),
        Text(14, 26, "User ID  . . . ."),
        Input(14, 44, 8, "user_id"),
        Text(15, 26, "Password . . . ."),
        Input(15, 44, 8, "password", hidden=True),
        Text(18, 14, "Authorized use only. Activity on this system is recorded."),
    ),
    "HVM100": (
        Text(7, 20, "1   Policy inquiry"),
        Text(8, 20, "2   Claims register          (not at this terminal)"),
        Text(9, 20, "3   Billing and collections  (not at this terminal)"),
        Text(10, 20, "X   Sign off"),
        Text(14, 20, "Option . . ."),
        Input(14, 34, 1, "option"),
    ),
    "HVM210": (
        Text(7, 10, "Type a policy number and press ENTER."),
        Text(10, 10, "Policy number . . ."),
        Input(10, 31, 9, "policy_number"),
        Text(12, 10, "A policy number has 9 characters: letters and digits."),
    ),
    "HVM220": (),
}
_CURSORS = {"HVM010": (14, 44), "HVM100": (14, 34), "HVM210": (10, 31), "HVM220": (24, 2)}


@dataclass(frozen=True, slots=True)
class Look:
    """What a panel depends on besides its content: the terminal's abilities and who is signed on."""

    extended: bool = False
    user_id: str = ""
    message: str = ""


@cache
def _frame(panel: str, *, extended: bool) -> bytes:
    items = (
        Text(1, 2, panel, colour=TURQUOISE),
        Text(1, 22, COMPANY, bright=True),
        Text(2, 41 - len(_TITLES[panel]) // 2, _TITLES[panel]),
        Text(3, 2, _RULE, colour=TURQUOISE),
        *_BODIES[panel],
        Text(_KEYS_ROW, 2, _KEYS[panel], colour=TURQUOISE),
    )
    return orders(items, extended=extended)


@cache
def _names(panel: str) -> dict[int, str]:
    return inputs(_BODIES[panel])


def panel(name: str, look: Look, *, more: bytes = b"") -> Screen:
    """Return one of the host's panels with its header, its message line and `more` orders."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    changing: list[Item] = [Text(1, 63, now)]
    if look.user_id:
        changing.append(Text(2, 63, f"User {look.user_id}"))
    if look.message:
        changing.append(Text(_MESSAGE_ROW, 2, look.message, bright=True, colour=YELLOW))
    drawn = _frame(name, extended=look.extended) + more + orders(changing, extended=look.extended)
    return Screen(drawn, _names(name), address(*_CURSORS[name]))


def logon(look: Look) -> Screen:
    """Return the sign-on panel."""
    return panel("HVM010", look)


def menu(look: Look) -> Screen:
    """Return the main menu."""
    return panel("HVM100", look)


def inquiry(look: Look) -> Screen:
    """Return the policy inquiry panel."""
    return panel("HVM210", look)


def detail(policy: DemoPolicy, look: Look) -> Screen:
    """Return the whole detail panel of a policy."""
    first, second = detail_parts(policy, look)
    return Screen(first.orders + second, first.inputs, first.cursor)


def detail_parts(policy: DemoPolicy, look: Look) -> tuple[Screen, bytes]:
    """Return the detail panel without its lower half, and the orders that add the lower half."""
    upper = (
        *_pair(6, 4, "Policy number", policy.policy_number, bright=True),
        *_pair(8, 4, "Holder", policy.holder),
        *_pair(9, 4, "Product", policy.product),
        *_pair(10, 4, "Status", policy.status, bright=policy.status != "IN FORCE"),
    )
    lower = (
        *_pair(12, 4, "Premium USD", f"{policy.premium:,.2f}"),
        *_pair(12, 43, "Billing", policy.billing),
        *_pair(13, 4, "State", policy.state),
        *_pair(13, 43, "Agent", policy.agent),
        *_pair(15, 4, "Effective", policy.effective_date.isoformat()),
        *_pair(16, 4, "Expires", policy.expiry_date.isoformat()),
    )
    first = panel("HVM220", look, more=orders(upper, extended=look.extended))
    return first, orders(lower, extended=look.extended)


def goodbye(look: Look) -> Screen:
    """Return the last screen before the host closes the connection."""
    items = (
        Text(1, 2, "HVM900", colour=TURQUOISE),
        Text(1, 22, COMPANY, bright=True),
        Text(12, 30, "SESSION ENDED. GOODBYE."),
    )
    return Screen(orders(items, extended=look.extended))


def timed_out(look: Look) -> Screen:
    """Return the screen of a session that the host gave up."""
    items = (
        Text(1, 2, "HVM930", colour=TURQUOISE),
        Text(1, 22, COMPANY, bright=True),
        Text(11, 20, "YOUR SESSION HAS TIMED OUT. YOU ARE SIGNED OFF.", bright=True),
        Text(13, 20, "Press ENTER to sign on again."),
    )
    return Screen(orders(items, extended=look.extended))


def abend(task: int) -> Screen:
    """Return what is left when the inquiry transaction abends: one line on an empty screen."""
    line = f"HVT0996 TRANSACTION HVPI TASK {task:05d} ENDED ABNORMALLY, ABEND CODE AHV7. BACKOUT COMPLETE."
    return Screen(orders((Text(1, 2, line[:78], bright=True),)))


def bulletin(look: Look) -> Screen:
    """Return a screen nobody expects in the middle of an inquiry."""
    items = (
        Text(4, 24, "* * *  OPERATIONS BULLETIN  * * *", bright=True),
        Text(7, 12, "The print queues of region EAST move to building 7 tonight."),
        Text(8, 12, "Collect your listings before 18:00."),
        Text(20, 12, "Press ENTER to continue."),
    )
    return Screen(orders(items, extended=look.extended))


def _pair(row: int, column: int, label: str, value: str, *, bright: bool = False) -> tuple[Text, Text]:
    even = label.ljust(len(label) + len(label) % 2)
    written = f"{even}{' .' * 9}"[:18] + ":"
    return Text(row, column, written), Text(row, column + len(written) + 1, value, bright=bright)
