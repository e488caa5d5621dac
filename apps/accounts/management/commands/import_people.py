"""`manage.py import_people FILE`: add the people of a CSV file, and change those who are here."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from apps.accounts import services, wiring
from apps.accounts.management.sheet_command import COMMAND_LINE, SheetCommand
from apps.accounts.people_sheet import read_people
from apps.audit.entities import command


class Command(SheetCommand):
    help = (
        "Add people from a CSV file with the columns name, email and perhaps roles; of who is here the name is changed "
        "and roles are added. Run it again after it broke off: nobody is added twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        try:
            sheet = read_people(self.text_of(options))
        except ValueError as error:
            raise CommandError(str(error)) from error
        plan, more = services.plan_people(wiring.users(), sheet.people)
        self.refuse([*sheet.findings, *more])
        self.tell_unused(sheet.unused)
        if options["dry_run"]:
            for person in plan.add:
                self.stdout.write(f"add     {person.email}  {person.name}  {' '.join(sorted(person.roles))}".rstrip())
            for one in plan.change:
                roles = "".join(f" +{role}" for role in sorted(one.new_roles))
                name = f" {one.before_name} -> {one.name}" if one.name != one.before_name else ""
                self.stdout.write(f"change  {one.email} {name}{roles}")
            self.stdout.write(f"Would add {len(plan.add)}, change {len(plan.change)}, leave {plan.left}.")
            return
        done = services.import_people(
            wiring.users(),
            plan=plan,
            by=COMMAND_LINE,
            actor=command("import_people"),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
            sessions=wiring.web_sessions(),
        )
        self.stdout.write(f"Added {done.added}, changed {done.changed}, left {plan.left}.")
        self.tell_left_out(done.left_out)
