"""Logging: structured, one line an event, JSON outside dev; tokens and what is named like a secret are blanked."""

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from apps.accounts.tokens import SECRET_TEXT

SECRET = re.compile(r"password|secret|token|credential|authorization|cookie", re.IGNORECASE)
BLANK = "(hidden)"


def configure(options: Mapping[str, Any]) -> None:
    """Called by Django with the setting `LOGGING`: `level`, and `json` (bool)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        blank_secrets,
    ]
    if options["json"]:
        last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,  # a rich one prints local variables, passwords too
            )
        ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {
                name: {"level": "WARNING"}
                for name in ("botocore", "boto3", "urllib3", "authlib", "asyncio", "tnz", "uvicorn")
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(options["level"])),
        cache_logger_on_first_use=True,
    )


def blank_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank the values of whatever is named like a secret, and the tokens of programs and links in any text."""
    for name in event:
        if SECRET.search(name):
            event[name] = BLANK
        elif isinstance(event[name], str):
            event[name] = SECRET_TEXT.sub(BLANK, event[name])
    return event
