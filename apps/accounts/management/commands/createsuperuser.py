"""`manage.py createsuperuser`: the first administrator."""

import getpass
import os
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts import wiring
from apps.accounts.entities import Role, email_address
from apps.accounts.passwords import check_rules
from apps.accounts.services import create_user
from apps.audit.entities import command
from apps.errors import DomainError

EMAIL, NAME, PASSWORD = "RUNGS_SUPERUSER_EMAIL", "RUNGS_SUPERUSER_NAME", "RUNGS_SUPERUSER_PASSWORD"


class Command(BaseCommand):
    help = (
        "Create a user with the role admin. Asks for what is not given by an option or by "
        f"{EMAIL}, {NAME} and {PASSWORD}. The password itself is never an option: other users of this machine could "
        "read it in the list of processes."
    )

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # An abbreviated option would take `--password secret` for `--password-env secret`.
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", help="the address to sign in with")
        parser.add_argument("--name", help="the name to show")
        parser.add_argument(
            "--password-env",
            metavar="VAR",
            default=PASSWORD,
            help=f"the variable with the password (default {PASSWORD})",
        )
        parser.add_argument(
            "--noinput", "--no-input", action="store_true", help="ask nothing; fail for what is missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._create(options)
        except (EOFError, KeyboardInterrupt):
            raise CommandError("Nothing was created: the questions were not answered.") from None

    def _create(self, options: dict[str, Any]) -> None:
        asks = not options["noinput"]
        email = _given(options["email"], EMAIL, "--email", question="E-mail: " if asks else None)
        try:
            address = email_address(email)
            name = _given(options["name"], NAME, "--name", question="Name: " if asks else None)
            if wiring.users().by_email(address) is not None:  # before anybody thinks of a password for nothing
                raise CommandError(f"Somebody uses {address} already.")
            user = create_user(
                wiring.users(),
                email=address,
                name=name,
                roles={Role.ADMIN},
                password=_password(options["password_env"], asks=asks),
                actor=command("createsuperuser"),
                now=datetime.now(UTC),
                passwords=wiring.passwords(),
                audit=wiring.audit_log(),
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        except DomainError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"Created the administrator {user.name} ({user.email}).")


def _given(option: str | None, variable: str, flag: str, *, question: str | None) -> str:
    found = option or os.environ.get(variable, "")
    if not found and question is not None:
        found = input(question)
    if not found.strip():
        raise CommandError(f"Say who it is: give {flag}, or set {variable}.")
    return found.strip()


def _password(variable: str, *, asks: bool) -> str:
    found = os.environ.get(variable, "")
    if found:
        check_rules(found)
        return found
    if not asks:
        raise CommandError(f"Set the variable {variable} to the password.")
    password = getpass.getpass("Password: ")
    check_rules(password)
    if getpass.getpass("Password again: ") != password:
        raise CommandError("The two passwords differ. Run the command again.")
    return password
