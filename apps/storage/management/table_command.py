"""What the table commands share: their flags, the store they speak to, and how they tell what happened."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from difflib import get_close_matches
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.errors import DomainError
from apps.storage.registry import declared_tables
from apps.storage.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from apps.storage.connection import Store

FAILURE, PARTLY = 1, 2


PIPE_WIDTH = 200  # a pipe has no width of its own, and names must not be cut off


class TableCommand(BaseCommand):
    """A command about the tables of one environment.

    Exit codes: 0 done, 1 failure, wrong usage or a difference found, 2 some tables done and others failed. With
    `--json` standard output carries one JSON document and nothing else, for errors too.
    """

    is_program = False
    requires_system_checks = ()  # checks load every page of the site; tables need none of them

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser, whose complaints can be caught."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Wrong usage then comes as a CommandError: exit code 1 (argparse has 2, which means "partly" here).
        parser.called_from_command_line = False
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The flags that every table command has."""
        parser.add_argument(
            "--env",
            choices=("dev", "staging", "prod"),
            help="the environment whose tables are meant; default RUNGS_ENV",
        )
        parser.add_argument("--region", help="the AWS region; default AWS_REGION, the profile's, us-east-1")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document for machines")
        parser.add_argument("--quiet", action="store_true", help="print only the closing sentence and errors")
        parser.add_argument("--only", nargs="+", metavar="TABLE", default=[], help="these tables, by declared name")

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as a program; wrong usage ends with exit code 1."""
        self.is_program = True
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # from the parser: Django catches only what comes later
            if "--json" in argv:
                self.stdout.write(_error_json("usage", str(error), ()))
            else:
                self.stderr.write(str(error))
            sys.exit(FAILURE)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, and as a program end with a plain sentence, where Django would put the name of a class before it."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if not self.is_program or options.get("traceback"):
                raise
            if str(error):
                self.stderr.write(str(error))
            sys.exit(error.returncode)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILURE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the tables and the store, do the work, and tell errors as the caller can read them."""
        del args
        self.as_json: bool = options["as_json"]
        self.quiet: bool = options["quiet"]
        self.started = time.monotonic()
        try:
            tables = chosen_tables(options["only"])
            self.work(self.make_store(options), tables, options)
        except DomainError as error:
            self.fail(error.code, error.message, tuple(getattr(error, "remedies", ())))
        except _refusal() as error:
            self.fail("refused", f"DynamoDB refuses: {error}", ())
        except KeyboardInterrupt:
            self.fail("stopped", "Stopped; run the command again to finish what it began.", ())
        except CommandError as error:
            if not self.as_json or error.returncode != FAILURE or not str(error):
                raise
            self.fail("usage", str(error), ())

    def work(self, store: "Store", tables: tuple[Table, ...], options: dict[str, Any]) -> None:
        """What this command does, with the tables that `--only` left."""
        raise NotImplementedError

    def make_store(self, options: dict[str, Any]) -> "Store":
        """The store that the flags and settings name."""
        from apps.storage.connection import configured_store  # noqa: PLC0415  (`--help` needs none)

        return configured_store(environment=options["env"], region=options["region"])

    @property
    def environment(self) -> str:
        """The environment that settings name."""
        return str(settings.STORAGE["ENVIRONMENT"])

    @property
    def console(self) -> "Console":
        """Where people read; nothing with `--json` or `--quiet`."""
        from rich.console import Console  # noqa: PLC0415  (not for machines)

        return Console(
            file=cast("IO[str]", self.stdout),
            quiet=self.as_json or self.quiet,
            width=None if self.stdout.isatty() else PIPE_WIDTH,
            soft_wrap=True,
            highlight=False,
        )

    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.started

    def milliseconds(self) -> int:
        """The same in whole milliseconds."""
        return round(self.seconds() * 1000)

    def finish(self, document: dict[str, Any], sentence: str, *, code: int = 0) -> None:
        """Print the JSON document or the closing sentence, and end with `code` unless that is 0."""
        self.stdout.write(json.dumps(document, indent=2) if self.as_json else sentence)
        if code:
            raise _Ended(code)

    def fail(self, code: str, message: str, remedies: Sequence[str]) -> NoReturn:
        """End with one plain sentence and numbered remedies. Always raises."""
        if self.as_json:
            self.stdout.write(_error_json(code, message, remedies))
            raise _Ended(FAILURE)
        numbered = "".join(f"\n  {number}. {remedy}" for number, remedy in enumerate(remedies, 1))
        raise CommandError(message + numbered)


def _refusal() -> type[Exception]:
    """What botocore raises for answers that are no `DomainError`; loaded only when something was raised."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    return ClientError


class _Ended(CommandError):
    """Everything is said; only the exit code is left."""

    def __init__(self, code: int) -> None:
        super().__init__("", returncode=code)


def chosen_tables(names: Sequence[str]) -> tuple[Table, ...]:
    """The declared tables, or those named. Raises `CommandError` for a name that nobody declares."""
    declared = {table.name: table for table in declared_tables()}
    for name in names:
        if name not in declared:
            near = get_close_matches(name, declared, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(declared)}."
            raise CommandError(f"No table is called {name}; {hint}")
    return tuple(table for name, table in declared.items() if not names or name in names)


def plural(number: int, word: str) -> str:
    """`1 table`, `2 tables`, `2 indexes`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}{'es' if word.endswith('x') else 's'}"


def _error_json(code: str, message: str, remedies: Sequence[str]) -> str:
    return json.dumps(
        {"success": False, "error": {"code": code, "message": message, "remedies": list(remedies)}}, indent=2
    )
