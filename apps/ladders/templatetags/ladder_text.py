"""The words of a ladder in templates: `{{ text|markdown }}`, `{{ line|markdown_line }}`, `{{ 3|level_words }}`."""

from django import template
from django.utils.safestring import SafeString

from apps.ladders import levels
from apps.rich_text import rendered, rendered_line

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown that somebody wrote, as harmless HTML."""
    return rendered(text)


@register.filter
def markdown_line(text: str) -> SafeString:
    """One line of it, without a paragraph around it."""
    return rendered_line(text)


@register.filter
def level_words(number: int | None) -> str:
    """A level as people say it: “3 Practitioner”; a dash where there is none."""
    return levels.level_words(number) if number else "\N{EN DASH}"


@register.filter
def level_name(number: int | None) -> str:
    """The name of a level; empty where it has none."""
    return levels.level_name(number) if number else ""
