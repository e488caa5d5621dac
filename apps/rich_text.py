"""Markdown that people wrote, as HTML that can do no harm."""

from functools import lru_cache
from typing import Final

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_TAGS: Final = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a"}
_TAGS_OF_A_LINE: Final = {"strong", "em", "code", "a"}
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES: Final = {"http", "https", "mailto"}


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    # HTML in the text is shown as text; headings and pictures are not for pieces inside a page.
    return MarkdownIt("commonmark", {"html": False}).disable(["heading", "lheading", "image"])


def rendered(text: str) -> SafeString:
    """Paragraphs, emphasis, lists, quotations, code and links; whatever else the text holds is shown as text.

    What comes out is cleaned once more, so that a slip of the renderer lets nothing through.
    """
    html = nh3.clean(_markdown().render(text), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES)
    return mark_safe(html)  # noqa: S308  (just cleaned)


def rendered_line(text: str) -> SafeString:
    """The same of one line, without a paragraph around it."""
    line = _markdown().renderInline(text)
    html = nh3.clean(line, tags=_TAGS_OF_A_LINE, attributes=_ATTRIBUTES, url_schemes=_SCHEMES)
    return mark_safe(html)  # noqa: S308  (just cleaned)
