"""The teams of the demo organisation."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from apps.accounts.demo import DEMO_ACTOR
from apps.errors import Forbidden
from apps.storage.connection import Store
from apps.storage.transaction import Transaction
from apps.teams.entities import Team, TeamMembership
from apps.teams.stores import stores_on

# name, description, who leads it, who is in it
DEMO_TEAMS: Final = (
    (
        "Policy Services",
        "The services around contracts: issuing, changing and renewing policies.",
        "Mara Lindholm",
        "Timo Kellermann, Aino Salmela, Bilal Haddad, Carmen Ibarra, Dmitri Volkanov, Esi Mensah, Fatima Zahrani",
    ),
    (
        "Claims Platform",
        "From the first notice of a loss to the payment.",
        "Ngozi Ekwueme",
        "Gustav Nyberg, Hana Kobayakawa, Inês Carvalho, Jonas Weidler, Kamala Iyer, Luca Ferrante",
    ),
    (
        "Customer Apps",
        "What customers and brokers see, on the web and on the telephone.",
        "Hiro Tanabe",
        "Mei Zhuang, Nadia Petrenko, Walid Benali, Priya Raghunath, Quentin Marchal, Rosa Quispe, Tomasz Brodka",
    ),
    (
        "Data and Insight",
        "Reports, forecasts and the warehouse that they come from.",
        "Leila Farahani",
        "Søren Dalgaard, Tariq Aslam, Uma Devanand, Viktor Hradec, Wanjiru Kamau, Carmen Ibarra",
    ),
    (
        "Infrastructure",
        "Networks, clusters, the way to the mainframe, and who is called at night.",
        "Tomasz Brodka",
        "Ximena Rojas, Yusuf Demirci, Zofia Leśniak, Amara Diallo, Bruno Tavares, Chloé Beaumont",
    ),
    (
        "Quality and Release",
        "Tests across all systems, and each release from the freeze to the day after.",
        "Mara Lindholm",
        "Dara Oakley, Emre Aydoğan, Freya Hollis, Goran Babić, Helga Brandt, Luca Ferrante",
    ),
)
_TEAMS: Final = uuid.UUID("5f0e4c83-92d5-4d0a-8a62-7a6b3c1d9e10")


def seed_demo_teams(store: Store, people: Mapping[str, str], *, founded_at: datetime) -> list[Team]:
    """Make the demo teams that are missing, of these people (user ids by name), and return all as they are stored.

    Raises `Forbidden` where the store is not of the environment dev.
    """
    if store.environment != "dev":
        raise Forbidden("Demo teams exist only where RUNGS_ENV is dev.")
    stores = stores_on(store)
    wanted = [_team(place, people, founded_at=founded_at) for place in range(len(DEMO_TEAMS))]
    there = {team.team_id for team in stores.teams.get_many([team.team_id for team in wanted], consistent=True)}
    for team in wanted:
        if team.team_id in there:
            continue
        after = {"team_name": team.team_name, "manager_id": team.manager_id, "member_ids": team.member_ids}
        object_of = f"Teams#{team.team_id}"
        Transaction(
            store,
            stores.teams.adding(team),
            *(
                stores.memberships.adding(
                    TeamMembership(
                        team_id=team.team_id,
                        user_id=member_id,
                        created_at=founded_at,
                        updated_at=founded_at,
                        created_by=DEMO_ACTOR.actor_id,
                    )
                )
                for member_id in sorted(team.member_ids)
            ),
            stores.audit.recording(object_of, action="team.created", actor=DEMO_ACTOR, at=founded_at, after=after),
        ).commit()
    found = {team.team_id: team for team in stores.teams.get_many([one.team_id for one in wanted], consistent=True)}
    return [found[team.team_id] for team in wanted if team.team_id in found]


def _team(place: int, people: Mapping[str, str], *, founded_at: datetime) -> Team:
    name, description, manager, members = DEMO_TEAMS[place]
    ids = frozenset(people[member] for member in members.split(", "))
    return Team(
        team_id=str(uuid.uuid5(_TEAMS, name)),
        team_name=name,
        description=description,
        manager_id=people[manager],
        member_ids=ids,
        member_count=len(ids),
        created_at=founded_at,
        updated_at=founded_at,
        created_by=DEMO_ACTOR.actor_id,
    )
