"""Versions of the ladder in the back office."""

import pytest

from apps.accounts.entities import Role
from apps.ladders.repository import LadderVersions
from tests.ladders.test_versions import activated, those_active, uploaded
from tests.policy_runs.web import browser, member
from tests.seasons import admin

LIST = "/admin/ladders/ladderversion/"


@pytest.fixture
def ada(store):
    return admin(store)


def test_versions_stand_newest_first_and_a_page_has_what_one_says(store, ada):
    first = activated(store, ada, uploaded(store, ada, "1.0.0", note="The first."))
    uploaded(store, ada, "1.1.0")
    adas = browser(ada)

    assert "The first." in adas.get(LIST).content.decode()
    page = adas.get(f"{LIST}{first.config_id}/change/").content.decode()
    assert "<h1>Version 1.0.0</h1>" in page
    assert "1. Does small things." in page
    assert f'href="/ladder/{first.config_id}/"' in page
    assert "Save" not in page and "Delete" not in page


def test_a_version_is_activated_from_the_list_once_one_has_confirmed(store, ada):
    activated(store, ada, uploaded(store, ada, "1.0.0"))
    second = uploaded(store, ada, "1.1.0")
    adas = browser(ada)
    chosen = {"action": "activate", "row": second.config_id}

    question = adas.post(LIST, chosen).content.decode()
    assert "keep the version they were made with" in question
    assert str(LadderVersions(store).active_for_sure()) == "1.0.0"
    done = adas.post(LIST, {**chosen, "version": str(second.version), "confirmed": "1"})

    assert done.status_code == 302
    assert those_active(store) == [second.config_id]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.VIEWER])
def test_who_only_reads_cannot_activate(store, ada, role):
    version = uploaded(store, ada)
    client = browser(member(store, role))

    assert "Activate" not in client.get(LIST).content.decode()
    assert client.post(LIST, {"action": "activate", "row": version.config_id}).status_code == 403
    assert LadderVersions(store).active() is None
