"""The pages of the career ladder: what they show to whom, and at what cost."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.entities import Role
from apps.ladders.demo import seed_demo_ladder
from apps.ladders.ladder import Category, Competency, Ladder, Level
from apps.ladders.repository import LadderVersions
from apps.ladders.showing import shown
from tests.ladders.test_versions import SMALL, activated, uploaded
from tests.policy_runs.web import beyond_sign_in, browser, member
from tests.seasons import admin, team_member

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LARGER = SMALL.replace("Does larger ones.", "Does larger ones *well*.") + "\n## Testing\n\n1. Tries.\n"


@pytest.fixture
def ada(store):
    return admin(store)


@pytest.fixture
def adas(ada):
    return browser(ada)


def page_of(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def form(content=SMALL, version="1.0.0", note="", **more):
    return {"content": content, "ladder_version": version, "note": note, **more}


def a_file(content: str | bytes, name="ladder.md"):
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_everybody_reads_the_active_ladder_in_two_requests(store, costs, role):
    seed_demo_ladder(store, now=NOW)
    client = browser(member(store, role))

    with costs(requests=4, wcu=0) as cost:
        html = page_of(client, "/ladder/")

    assert beyond_sign_in(cost) == {("get_item", "Pointers"): 1, ("get_item", "ConfigVersions"): 1}
    assert html.count('class="level-card"') == 12 * 7
    assert "Apprentice" in html and "Luminary" in html
    assert "How somebody turns a need into something that works" in html
    assert ("New version" in html) == (role is Role.ADMIN)


def test_the_side_bar_leads_to_the_ladder(store):
    assert '<a href="/ladder/" aria-current="page">' in page_of(browser(team_member(store)), "/ladder/")


@pytest.mark.parametrize(
    ("role", "told"),
    [(Role.ADMIN, "Upload the first version"), (Role.TEAM_MEMBER, "once an administrator has activated one")],
)
def test_without_a_ladder_the_page_says_what_to_do(store, role, told):
    assert told in page_of(browser(member(store, role)), "/ladder/")


def test_at_a_level_one_sees_it_and_the_next(store, adas):
    seed_demo_ladder(store, now=NOW)

    html = page_of(adas, "/ladder/?level=3")

    assert html.count('class="level-card chosen"') == 12
    assert html.count("(next)") == 12
    assert html.count('class="level-card"') == 12


@pytest.mark.parametrize("level", ["0", "8", "-1", "x", "²", "9" * 5000])
def test_a_level_that_is_none_shows_all(store, adas, level):
    seed_demo_ladder(store, now=NOW)

    assert page_of(adas, f"/ladder/?level={level}").count('class="level-card"') == 84


def test_texts_are_shown_as_markdown_and_do_no_harm(store, ada, adas):
    content = "# A & <B>\n\n## C\n\n1. Is *good* & `<b>`\n\n   [x](javascript:alert(1)) [y](https://example.org/)\n"
    activated(store, ada, uploaded(store, ada, content=content))

    html = page_of(adas, "/ladder/")

    assert "A &amp; &lt;B&gt;" in html
    assert "Is <em>good</em> &amp; <code>&lt;b&gt;</code>" in html
    assert 'href="javascript' not in html
    assert '<a href="https://example.org/" rel="noopener noreferrer">y</a>' in html


def test_anchors_are_never_the_same():
    level = (Level(number=1, expectation="x"),)
    titles = ["C", "C#", "漢字", "!", "?", "C C"]
    ladder = Ladder(
        categories=tuple(
            Category(title=title, competencies=tuple(Competency(title=one, levels=level) for one in titles))
            for title in titles
        )
    )

    found = [
        anchor
        for category in shown(ladder)
        for anchor in (category.anchor, *(one.anchor for one in category.competencies))
    ]

    assert len(set(found)) == len(found) == 42
    assert not [anchor for anchor in found if " " in anchor]


def test_versions_are_listed_newest_first_with_who_and_when_in_two_requests(store, ada, costs):
    activated(store, ada, uploaded(store, ada, "1.0.0", note="The first <one>."))
    newer = uploaded(store, ada, "1.1.0")
    LadderVersions(store).save(newer.evolve(created_at=datetime(2026, 4, 1, tzinfo=UTC)))
    client = browser(team_member(store))

    with costs(requests=4, wcu=0) as cost:
        html = page_of(client, "/ladder/versions/")

    assert set(beyond_sign_in(cost)) == {("query", "ConfigVersions"), ("batch_get_item", "Users")}
    assert html.index(">1.1.0</a>") < html.index(">1.0.0</a>")
    assert "The first &lt;one&gt;." in html
    assert ada.name in html
    assert html.count("#i-success") == 1
    assert "New version" not in html


def test_versions_are_leafed_through(store, ada, adas):
    for number in range(27):
        uploaded(store, ada, f"1.{number}.0")

    first = adas.get("/ladder/versions/")
    second = adas.get("/ladder/versions/", {"cursor": first.context["next_cursor"]})

    assert len(first.context["versions"]) == 25
    assert len(second.context["versions"]) == 2
    assert second.context["previous_cursor"]
    assert adas.get("/ladder/versions/?cursor=x").status_code == 422


def test_a_version_is_compared_with_the_active_one_in_three_requests(store, ada, costs):
    activated(store, ada, uploaded(store, ada))
    other = uploaded(store, ada, "1.1.0", content=LARGER)
    client = browser(team_member(store))

    with costs(requests=5, wcu=0) as cost:
        html = page_of(client, f"/ladder/{other.config_id}/")

    assert sum(beyond_sign_in(cost).values()) == 3
    assert "Compared with the active version 1.0.0" in html
    assert "1 competency added, 1 level changed" in html
    assert "<p>Does larger ones.</p>" in html
    assert "<p>Does larger ones <em>well</em>.</p>" in html
    assert "Activate …" not in html


def test_the_active_version_is_compared_with_nothing(store, ada, adas):
    first = activated(store, ada, uploaded(store, ada))

    html = page_of(adas, f"/ladder/{first.config_id}/")

    assert "Compared with" not in html
    assert "Activate …" not in html


def test_a_version_that_says_the_same_is_said_to(store, ada, adas):
    activated(store, ada, uploaded(store, ada))
    other = uploaded(store, ada, "1.1.0")

    html = page_of(adas, f"/ladder/{other.config_id}/")

    assert "It says the same." in html
    assert "and it says the same. Plans that exist" in html


def test_the_words_for_what_changes_are_whole(store, ada, adas):
    activated(store, ada, uploaded(store, ada, content="# A\n## B\n1. x\n## C\n1. y\n# D\n## E\n1. z\n"))
    other = uploaded(
        store, ada, "1.1.0", content="# A\nHi.\n## C\n1. y\n# D\n## E\n1. z\n2. zz\n## F\n1. x\n## G\n1. g\n"
    )
    worded = uploaded(store, ada, "1.2.0", content="# A\nHi.\n## B\n1. x\n## C\n1. y\n# D\n## E\n1. z\n")

    assert "1 competency added, 1 competency moved or renamed, 1 level changed" in page_of(
        adas, f"/ladder/{other.config_id}/"
    )
    assert "Activating it changes: other introductions." in page_of(adas, f"/ladder/{worded.config_id}/")


@pytest.mark.parametrize("path", ["", "activate/", "ladder.md"])
@pytest.mark.parametrize("config_id", ["nothing", "x" * 3000, "%00"])
def test_a_version_that_is_not_there_is_not_found(adas, path, config_id):
    address = f"/ladder/{config_id}/{path}"
    answer = adas.post(address) if path == "activate/" else adas.get(address)

    assert answer.status_code == 404


def test_a_version_is_taken_as_it_was_written(store, ada):
    version = uploaded(store, ada, content="# Ä\n\n## B\n\n1. x\n")

    answer = browser(team_member(store)).get(f"/ladder/{version.config_id}/ladder.md")

    assert answer.content.decode() == "# Ä\n\n## B\n\n1. x\n"
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="ladder-1.0.0.md"'


# --- uploading --------------------------------------------------------------------------------------------------------


def test_the_form_suggests_the_next_version_and_may_begin_with_the_active_text(store, ada, adas):
    activated(store, ada, uploaded(store, ada, "1.4.2"))

    assert 'value="1.5.0"' in page_of(adas, "/ladder/new/")
    uploaded(store, ada, "1.10.0")
    uploaded(store, ada, "1.9.0")
    assert 'value="1.11.0"' in page_of(adas, "/ladder/new/"), "which was not used yet"
    html = page_of(adas, "/ladder/new/?from=active")
    assert "1. Does small things." in html
    assert "Ready to store" in html


@pytest.mark.parametrize(
    "given",
    [
        lambda: form(SMALL.replace("\n", "\r\n")),
        lambda: form("", ladder_file=a_file(SMALL)),
        lambda: form("", ladder_file=a_file("\ufeff" + SMALL.replace("\n", "\r\n"))),
        lambda: form("", ladder_file=a_file(SMALL.encode("utf-16"))),
    ],
    ids=["pasted", "a file", "a file of Windows", "a file in UTF-16"],
)
def test_a_ladder_is_uploaded_as_text_or_as_a_file(store, adas, given):
    answer = adas.post("/ladder/new/", given())

    (listed,) = LadderVersions(store).listed().items
    assert answer.status_code == 302
    assert answer.url == f"/ladder/{listed.config_id}/"
    assert LadderVersions(store).get(listed.config_id).config_content == SMALL
    assert "not active yet" in page_of(adas, answer.url)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda: form("# A\n\n1. x\n"), "This level is in no competency"),
        (lambda: form(""), "Write or paste the ladder, or choose a file."),
        (lambda: form(version="1"), "Enter a version of three numbers"),
        (lambda: form(version=""), "Enter a version, such as 1.2.0."),
        (lambda: form(note="n" * 501), "A note has at most 500 characters."),
        (lambda: form(ladder_file=a_file(SMALL)), "Both a text and a file were given."),
        (lambda: form("", ladder_file=a_file(b"\xff\xfe\x00")), "not a text file in UTF-8"),
        (lambda: form("", ladder_file=a_file(b"# \xe4\n")), "not a text file in UTF-8"),
        (lambda: form("", ladder_file=a_file(b"#" * (1024 * 1024 + 1))), "This file is larger than 1024 KB."),
        (lambda: form("", ladder_file=a_file(b"a" * 160 * 1024)), "A ladder has at most 150 KB"),
    ],
    ids=[
        "malformed",
        "nothing",
        "one number",
        "no version",
        "a long note",
        "both",
        "half of UTF-16",
        "Latin",
        "a huge file",
        "a large file",
    ],
)
def test_what_is_refused_is_told_and_stores_nothing(store, adas, given, told):
    answer = adas.post("/ladder/new/", given())

    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not LadderVersions(store).listed().items


def test_what_was_typed_stays_where_it_is_refused(adas):
    html = adas.post("/ladder/new/", form("# Mine & yours\n\n1. x\n", version="1.7", note="A note.")).content.decode()

    assert "# Mine &amp; yours" in html
    assert 'value="1.7"' in html
    assert 'value="A note."' in html


def test_a_refused_file_is_in_the_text_field_with_its_lines(adas):
    html = adas.post(
        "/ladder/new/", form("", ladder_file=a_file("# Mine\r\n## B\r\n1. x\r\n1. y\r\n"))
    ).content.decode()

    assert "# Mine\n## B\n1. x\n1. y" in html.replace("\r", "")
    assert 'data-line="4">Line 4</a>' in html


def test_a_number_that_is_taken_is_told_beside_its_field(store, ada, adas):
    uploaded(store, ada, "2.0.0")

    answer = adas.post("/ladder/new/", form(version="2.0.0"))

    assert answer.status_code == 422
    assert "There is a ladder of this version already." in answer.content.decode()
    assert answer.context["form"].errors["ladder_version"]


def test_the_ladder_is_checked_as_one_types_without_asking_the_store(adas, costs):
    with costs(requests=2):
        wrong = adas.post("/ladder/check/", {"content": "# A\n## B\n1. <b>\n1. y\n"}).content.decode()
    right = adas.post("/ladder/check/", {"content": SMALL + "## C\n1. x\n"}).content.decode()
    nothing = adas.post("/ladder/check/", {"content": " \n"}).content.decode()
    chosen = adas.post("/ladder/check/", {"ladder_file": a_file(SMALL)}).content.decode()

    assert "Line 3" in wrong and "Line 4" in wrong
    assert "<code>&lt;b&gt;</code>" in wrong
    assert "Ready to store" in right
    assert "With fewer levels than 2: C (1)." in right
    assert "Write or paste the ladder" in nothing
    assert "Ready to store" in chosen and "fewer levels" not in chosen


def test_of_very_many_problems_the_check_lists_some(adas):
    html = adas.post("/ladder/check/", {"content": "# A\n## B\n" + "1. x\n" * 1001}).content.decode()

    assert html.count("data-line") == 50
    assert "and 951 more" in html


# --- activating -------------------------------------------------------------------------------------------------------


def test_activating_asks_says_what_changes_and_that_plans_keep_theirs(store, ada, adas):
    first = activated(store, ada, uploaded(store, ada))
    other = uploaded(store, ada, "1.1.0", content=LARGER)

    html = page_of(adas, f"/ladder/{other.config_id}/")

    assert "Activate version 1.1.0?" in html
    assert "instead of version 1.0.0: 1 competency added, 1 level changed. Plans that exist" in html
    assert f'name="replaces" value="{first.config_id}"' in html

    answer = adas.post(f"/ladder/{other.config_id}/activate/", {"replaces": first.config_id})

    assert (answer.status_code, answer.url) == (302, "/ladder/")
    assert LadderVersions(store).active_for_sure().config_id == other.config_id
    assert "existing plans keep theirs" in page_of(adas, "/ladder/")


def test_the_first_ladder_is_activated_from_its_page(store, ada, adas):
    version = uploaded(store, ada)
    html = page_of(adas, f"/ladder/{version.config_id}/")

    assert "Plans can be made from then on" in html
    assert 'name="replaces" value=""' in html
    assert adas.post(f"/ladder/{version.config_id}/activate/", {"replaces": ""}).url == "/ladder/"


def test_who_was_shown_another_active_version_is_asked_to_look_again(store, ada, adas):
    first = activated(store, ada, uploaded(store, ada))
    other = uploaded(store, ada, "1.1.0")
    activated(store, ada, uploaded(store, ada, "1.2.0"))

    answer = adas.post(f"/ladder/{other.config_id}/activate/", {"replaces": first.config_id})

    assert answer.url == f"/ladder/{other.config_id}/"
    assert "Look again at what would change" in page_of(adas, answer.url)
    assert str(LadderVersions(store).active_for_sure()) == "1.2.0"
