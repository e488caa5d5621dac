"""A page as a browser takes it: what its form would send."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    def __init__(self):
        super().__init__()
        self.inside = False
        self.sent = []
        self.area = self.select = None

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        name = told.get("name")
        if tag == "form":
            self.inside = "edit" in told.get("class", "") or told.get("action", "").endswith("/resume/")
        elif not self.inside:
            return
        elif tag == "input" and name:
            if told["type"] not in {"checkbox", "radio"}:
                self.sent.append((name, told.get("value", "")))
            elif "checked" in told:
                self.sent.append((name, told.get("value", "on")))
        elif tag == "textarea":
            self.area = (name, [])
        elif tag == "select":
            self.select = [name, None, None]
        elif tag == "option" and self.select:
            value = told.get("value", "")
            self.select[1] = value if self.select[1] is None else self.select[1]
            self.select[2] = value if "selected" in told else self.select[2]

    def handle_data(self, data):
        if self.area:
            self.area[1].append(data)

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.area:
            name, parts = self.area
            self.sent.append((name, "".join(parts).removeprefix("\n").replace("\n", "\r\n")))
            self.area = None
        elif tag == "select" and self.select:
            name, first, chosen = self.select
            self.sent.append((name, first if chosen is None else chosen))
            self.select = None


def form_of(page):
    """Names and values of the form that changes things; a name that comes several times has a list."""
    parser = _Form()
    parser.feed(page.content.decode())
    found = {}
    for name, value in parser.sent:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
