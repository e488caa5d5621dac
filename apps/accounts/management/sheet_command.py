"""What commands have in common that import a spreadsheet: the file, the dry run, and every bad line at once."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.entities import Role, User
from apps.spreadsheets import Finding, decode_upload

COMMAND_LINE: Final = User(
    user_id="command-line", email="command-line@localhost", name="Command line", roles=frozenset({Role.ADMIN})
)
"""Whoever may use the store from here acts as an administrator; the audit log names the command."""


class SheetCommand(BaseCommand):
    """A command that is given a CSV file."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and whether it is only looked at."""
        parser.add_argument("file", type=Path, help="a CSV file; its first line names the columns")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def text_of(self, options: dict[str, Any]) -> str:
        """What is in the file. Raises `CommandError`."""
        try:
            return decode_upload(options["file"].read_bytes())
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise CommandError(str(error)) from error

    def refuse(self, findings: Iterable[Finding]) -> None:
        """Raise `CommandError` with every bad line, where there is any."""
        lines = [
            f"  line {finding.line}: {f'{finding.value}: ' if finding.value else ''}{finding.message}"
            for finding in sorted(findings, key=lambda finding: finding.line)
        ]
        if lines:
            raise CommandError("\n".join(["Nothing was imported. Correct these lines:", *lines]))

    def tell_unused(self, unused: Iterable[str]) -> None:
        """Name the columns that nothing is made of."""
        if named := ", ".join(unused):
            self.stdout.write(f"Columns not used: {named}")

    def tell_left_out(self, left_out: Iterable[str]) -> None:
        """Raise `CommandError` where something could not be done."""
        if told := [f"  {one}" for one in left_out]:
            raise CommandError("\n".join(["Left out, since something changed in the meantime:", *told]))
