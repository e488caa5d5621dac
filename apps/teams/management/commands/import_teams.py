"""`manage.py import_teams FILE`: make the teams of a CSV file, and add their members."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from apps.accounts.management.sheet_command import COMMAND_LINE, SheetCommand
from apps.audit.entities import command
from apps.teams import services
from apps.teams.team_sheet import read_teams
from apps.teams.wiring import after_change, default_stores


class Command(SheetCommand):
    help = (
        "Make teams and add members from a CSV file with the columns team, manager_email, and perhaps member_email "
        "(one row a member) and description. Run it again after it broke off: nothing is done twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        stores = default_stores()
        try:
            sheet = read_teams(self.text_of(options))
        except ValueError as error:
            raise CommandError(str(error)) from error
        plan, more = services.plan_teams(stores, sheet.rows)
        self.refuse([*sheet.findings, *more])
        self.tell_unused(sheet.unused)
        if options["dry_run"]:
            for team in plan.teams:
                verb = "make  " if team.is_new else "change"
                self.stdout.write(f"{verb}  {team.team_name} ({team.manager_name})")
                for name in team.member_names:
                    self.stdout.write(f"          + {name}")
                if team.description is not None and not team.is_new:
                    self.stdout.write("          another description")
            self.stdout.write(
                f"Would make {plan.new_teams} teams and {plan.new_members} memberships, "
                f"and change {plan.descriptions} descriptions; "
                f"{plan.left} teams and {plan.members_left} memberships are there already."
            )
            return
        now = datetime.now(UTC)
        done = services.import_teams(
            stores,
            plan=plan,
            by=COMMAND_LINE,
            actor=command("import_teams"),
            now=now,
            followed=partial(after_change, now=now),
        )
        self.stdout.write(
            f"Made {done.teams} teams and {done.members} memberships, changed {done.descriptions} descriptions."
        )
        self.tell_left_out(done.left_out)
