"""Markdown that people write does no harm, whatever it holds and however much of it there is."""

import re
from html.parser import HTMLParser
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rich_text import rendered, rendered_line

BOTH = pytest.mark.parametrize("render", [rendered, rendered_line], ids=["text", "line"])
TAGS = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a"}
ATTRIBUTES = {"a": {"href", "title", "rel"}, "ol": {"start"}}


class Read(HTMLParser):
    """What a browser makes of it: tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def expect_harmless(html: str) -> None:
    for tag, attributes in Read(html).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set())
        if "href" in attributes:
            assert not re.match(r"\s*[a-z][a-z0-9+.-]*:", attributes["href"] or "", re.IGNORECASE) or re.match(
                r"(https?|mailto):", attributes["href"] or "", re.IGNORECASE
            )
            assert attributes["rel"] == "noopener noreferrer"


ATTACKS = [
    "<script>alert(1)</script>",
    "a <script>alert(1)</script> b",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<p onclick=alert(1)>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>*{display:none}</style>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<!--><script>alert(1)</script>-->",
    "<noscript><p title='</noscript><script>alert(1)</script>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/png;base64,AAAA)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://example.org/1)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[x][1]\n\n[1]: javascript:alert(1)",
    '[x](https://example.org "a\\" onmouseover=\\"alert(1)")',
    '[x](https://example.org/"onmouseover="alert(1))',
    "![x](https://example.org/x.png)",
    "![x](javascript:alert(1))",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "<https://example.org/<script>>",
    "**<b>x</b>** &lt;script&gt;",
    "\0<script\0>alert(1)</script>",
]


@BOTH
@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_no_attack_becomes_anything_but_text(render, attack):
    expect_harmless(render(attack))


@BOTH
@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*ATTACKS, "<", ">", '"', "](", "`", "*", "\n", "    ", "a:", "&#x"])).map("".join))
def test_no_mixture_of_attacks_does_either(render, text):
    expect_harmless(render(text))


def test_html_is_shown_as_it_was_written():
    assert Read(rendered("a <b>c</b> &amp; <script>alert(1)</script>")).text.strip() == (
        "a <b>c</b> & <script>alert(1)</script>"
    )


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=c&d", "http://example.org", "mailto:ada@example.org", "/ladder/#craft"]
)
def test_good_links_lead_where_they_say_and_tell_nobody_where_from(address):
    ((tag, attributes),) = Read(rendered_line(f"[x]({address})")).tags

    assert (tag, attributes["href"], attributes["rel"]) == ("a", address, "noopener noreferrer")


def test_an_address_in_angle_brackets_is_a_link():
    assert rendered_line("<https://example.org>") == (
        '<a href="https://example.org" rel="noopener noreferrer">https://example.org</a>'
    )


def test_what_markdown_is_for_is_shown():
    html = rendered("One *two* **three** `four`\n\n- a\n  1. b\n\n> c\n\n---\n\n3. d")

    assert {tag for tag, _ in Read(html).tags} == {"p", "em", "strong", "code", "ul", "li", "ol", "blockquote", "hr"}
    assert '<ol start="3">' in html


def test_headings_and_pictures_stay_text():
    text = Read(rendered("# One\n\nTwo\n===\n\n![three](https://example.org/x.png)")).text

    assert "# One" in text and "===" in text and "!" in text


def test_a_line_has_nothing_around_it():
    assert rendered_line("- a *b*") == "- a <em>b</em>"
    assert rendered_line("") == rendered("") == ""


@pytest.mark.parametrize(
    "piece",
    [
        "[", "![", "](", "<", "<a ", "*", "_", "*a_ ", "**", "`", "` ``", "> ", "- ", "1. ", "\\", "&", "&#", "<!--",
        "[a](", "[a](<", '[a](b "', "[a][b]", "[[]]", "~~~\n", "a\n", "\t", " \n", "<http://", "*a **", "]", "|",
    ],
)  # fmt: skip
def test_a_huge_text_takes_no_time_to_speak_of(piece):
    text = piece * (20_000 // len(piece))
    started = perf_counter()

    expect_harmless(rendered(text))

    assert perf_counter() - started < 5, "whatever it holds"


def test_deeply_nested_text_is_rendered_without_falling():
    for nested in ("> " * 5000 + "x", "- " * 5000 + "x", "*" * 5000 + "x" + "*" * 5000, "[" * 5000 + "x" + "]" * 5000):
        expect_harmless(rendered(nested))
