"""Reports on paper and as files: what stands in them, who gets them, and that they refer to nothing outside."""

import csv
import io
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pypdfium2
import pytest

from apps.ladders.ladder import Category, Competency, Ladder, Level
from apps.reports import pdf, pdf_process
from apps.reports.errors import PdfUnavailable
from apps.reports.pdf import chart_style, filled_in, made_pdf
from tests.policy_runs.web import browser
from tests.seasons import active_ladder, plan_of, reported

ACCENT, OWN, HEAT = (0x45, 0x40, 0xB8), (0x6D, 0x6D, 0x78), (0xFD, 0xED, 0xEB)


def opened(content):
    return pypdfium2.PdfDocument(content)


def text_of(document):
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def file_of(harbour, form, reader=None):
    return browser(reader or harbour.mona).get(f"/reports/{harbour.report.report_id}/report.{form}")


def rows_of(response):
    return list(csv.reader(io.StringIO(response.content.decode())))


@pytest.mark.needs_pango
def test_the_pdf_says_what_the_report_says_on_numbered_pages_marked_confidential(harbour):
    answer = file_of(harbour, "pdf")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report-timo-member-2026-q1.pdf"'
    document = opened(answer.content)
    told = text_of(document)
    for words in (
        *("Timo Member", "2026-Q1", "Confidential", f"1 / {len(document)}", "3 Practitioner", "4 Specialist"),
        *("Where the two views differ", "manager 3 levels below self", "Shows 6.", "On and up.", "Over the seasons"),
    ):
        assert words in told, words


@pytest.mark.needs_pango
def test_the_chart_of_twenty_categories_is_whole_on_the_first_page(harbour, store):
    categories = tuple(
        Category(
            title=f"Category {number:02}",
            competencies=(
                Competency(title="Only one", levels=tuple(Level(number=n, expectation="It.") for n in range(1, 8))),
            ),
        )
        for number in range(20)
    )
    ladder = active_ladder(store, Ladder(categories=categories), version="20.0.0")
    plan = plan_of(store, harbour.team, ladder, season="2026-Q2")
    levels = [2] * 20
    report = reported(
        store, plan, harbour.timo.user_id, team=harbour.team, ladder=ladder, own=levels, by_manager=levels
    )
    first = opened(browser(harbour.mona).get(f"/reports/{report.report_id}/report.pdf").content)[0]
    told = first.get_textpage().get_text_range()
    assert all(category.title in told for category in categories)


@pytest.mark.needs_pango
def test_the_charts_are_on_its_pages_in_their_colours(harbour):
    document = opened(file_of(harbour, "pdf").content)
    colours = {colour for page in document for _, colour in _colours(page)}
    assert {ACCENT, OWN, HEAT} <= colours


def _colours(page):
    return page.render(scale=3).to_pil().convert("RGB").getcolors(1 << 24)


def test_every_colour_of_the_charts_is_filled_in_for_paper():
    assert "var(" not in chart_style() and "light-dark" not in chart_style() and ":root" not in chart_style()
    assert filled_in("a { color: var(--accent-text) }") == "a { color: #4540b8 }"
    with pytest.raises(KeyError):
        filled_in("a { color: var(--no-such-colour) }")


@pytest.mark.needs_pango
def test_what_people_wrote_makes_the_pdf_fetch_nothing(harbour, tmp_path):
    asked = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    secret = tmp_path / "secret.txt"
    secret.write_text("THE SECRET OF THE MACHINE")
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here, file = f"http://127.0.0.1:{server.server_port}", secret.as_uri()
        bad = (
            f"![p]({here}/markdown.png) [link]({file}) <img src='{here}/tag.png'> <link rel=attachment href='{file}'>"
            f"<style>@import '{here}/css'; p {{ background: url({here}/bg) }}</style> <svg><image href='{file}'/></svg>"
        )
        own = harbour.stores.assessments.get(harbour.report.self_assessment_id)
        harbour.stores.assessments.put_many([own.evolve(way_forward=bad)])
        answer = file_of(harbour, "pdf")
        # And where the cleaning of Markdown let something through, the engine still would not fetch it.
        raw = made_pdf(
            f"<base href='{here}/'><p>Plain</p><img src='{here}/img.png'><img src='{file}'><link rel=stylesheet "
            f"href='{here}/sheet.css'><link rel=attachment href='{file}'><object data='{file}'></object>{bad}"
            f"<svg><image href='{here}/svg.png' width=9 height=9 /><use href='{file}#x' /></svg>"
            "<img src='data:image/png;base64,AAAA'>"
        )
        server.shutdown()
    assert answer.status_code == 200 and asked == []
    assert "Plain" in text_of(opened(raw))
    for content in (answer.content, raw):
        document = opened(content)
        assert "THE SECRET" not in text_of(document) and b"THE SECRET" not in content
        assert document.count_attachments() == 0


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/", "data:text/plain,x", "ftp://x/", "x"])
def test_the_engine_is_told_to_fetch_nothing_at_all(url):
    with pytest.raises(pdf_process.Refused, match="nothing outside itself"):
        pdf_process.refuse(url)


@pytest.mark.needs_pango
def test_the_longest_report_is_on_paper_whole_and_within_seconds(harbour):
    for key in (harbour.report.self_assessment_id, harbour.report.manager_assessment_id):
        assessment = harbour.stores.assessments.get(key)
        for number, place in enumerate(harbour.ladder.ladder.places):
            long = f"{'word ' * 990}End{number}." if key == harbour.report.self_assessment_id else f"Short{number}."
            answer = assessment.answer(place).model_copy(update={"evidence": long, "next_level_feedback": long})
            assessment = assessment.answered(place, answer, now=datetime.now(UTC))
        harbour.stores.assessments.put_many([assessment])
    started = time.monotonic()
    told = text_of(opened(file_of(harbour, "pdf").content))
    assert time.monotonic() - started < 20
    assert [told.count(f"End{number}.") for number in range(3)] == [2, 2, 2]
    assert told.count("word") == 990 * 6 and "Over the seasons" in told


@pytest.mark.needs_pango
def test_the_process_knows_nothing_of_our_environment(monkeypatch):
    seen = {}
    run = subprocess.run

    def watched(*args, **more):
        seen.update(more["env"])
        return run(*args, **more)

    monkeypatch.setenv("RUNGS_SECRET_KEY", "not for others")
    monkeypatch.setattr(subprocess, "run", watched)
    made_pdf("<p>Hello</p>")
    assert set(seen) <= {"PATH", "HOME", "LD_LIBRARY_PATH", "LC_ALL"}


def _program(tmp_path, monkeypatch, source):
    program = tmp_path / "program.py"
    program.write_text(source)
    monkeypatch.setattr(pdf_process, "__file__", str(program))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import time; time.sleep(60)", "too long to put on paper"),
        (f"import sys; sys.exit({pdf_process.NO_PANGO})", "Pango is not installed"),
        ("import sys; sys.exit(1)", "could not be put on paper"),
        ("import sys; sys.stdout.write('x' * 5000)", "too large for a PDF"),
    ],
    ids=["slow", "no Pango", "broken", "large"],
)
def test_what_goes_wrong_with_it_is_said_in_a_sentence(tmp_path, monkeypatch, source, words):
    _program(tmp_path, monkeypatch, source)
    monkeypatch.setattr(pdf, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(pdf, "MOST_PDF", 1000)
    with pytest.raises(PdfUnavailable, match=words):
        made_pdf("<p>Hello</p>")


def test_without_pango_the_page_says_so_and_nothing_is_recorded(harbour, tmp_path, monkeypatch):
    _program(tmp_path, monkeypatch, f"import sys; sys.exit({pdf_process.NO_PANGO})")
    answer = file_of(harbour, "pdf")
    assert answer.status_code == 503 and "Pango is not installed" in answer.content.decode()
    assert harbour.stores.reports.get(harbour.report.report_id).exported_at is None
    assert not harbour.stores.audit.of(f"AssessmentReports#{harbour.report.report_id}").items


def test_the_program_itself_says_when_pango_cannot_be_loaded(tmp_path):
    blocked = tmp_path / "blocked.py"
    blocked.write_text(
        "import runpy, sys, types\n"
        "class Blocker:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'weasyprint': raise OSError('cannot load library libpango')\n"
        "sys.meta_path.insert(0, Blocker())\n"
        f"runpy.run_path({pdf_process.__file__!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, str(blocked)], input=b"<p>x</p>", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (pdf_process.NO_PANGO, b"")


@pytest.mark.needs_pango
def test_only_two_are_made_at_once(monkeypatch):
    monkeypatch.setattr(pdf, "WAIT_SECONDS", 0.05)
    with pdf._turn(), pdf._turn(), pytest.raises(PdfUnavailable, match="Other PDFs are being made"):
        made_pdf("<p>Hello</p>")
    assert made_pdf("<p>Hello</p>").startswith(b"%PDF")


def test_csv_has_a_line_a_competency_and_no_formula(harbour):
    own = harbour.stores.assessments.get(harbour.report.self_assessment_id)
    place = ("Craft", "Design")
    answer = own.answer(place).model_copy(update={"evidence": "=cmd|'/c calc'!A1"})
    harbour.stores.assessments.put_many([own.answered(place, answer, now=datetime.now(UTC))])
    head, *rows = rows_of(file_of(harbour, "csv"))
    assert head[:9] == [
        *("member", "season", "team", "category", "competency", "self", "manager", "difference", "stands out")
    ]
    assert rows[0][:10] == [
        *("Timo Member", "2026-Q1", "Harbour", "Craft", "Design", "6", "3", "-3", "yes", "'=cmd|'/c calc'!A1")
    ]
    assert [row[4] for row in rows] == ["Design", "Testing", "Feedback"]


def test_json_has_all_of_it(harbour):
    found = orjson.loads(file_of(harbour, "json").content)
    assert (found["memberName"], found["finalLevel"], found["selfAssessedLevel"]) == ("Timo Member", 3, 4)
    assert found["highlights"] == [{"category": "Craft", "competency": "Design", "difference": -3}]


def test_a_plan_and_a_season_are_handed_out_as_csv(harbour):
    head, *rows = rows_of(browser(harbour.mona).get(f"/reports/plan/{harbour.plan.plan_id}/reports.csv"))
    assert head[0] == "member" and len(rows) == 6
    assert ["Timo Member", "Craft", "Design", "6", "3", "-3", "yes"] in rows
    head, *rows = rows_of(browser(harbour.ada).get("/reports/organisation/season.csv?season=2026-Q1"))
    found = dict(zip(head, rows[0], strict=True))
    assert found["plan"] == "Harbour 2026-Q1" and found["submitted %"] == "100"
    assert (found["Craft: level 3"], found["Craft: level 4"], found["People: level 3"]) == ("2", "1", "1")


@pytest.mark.parametrize("form", ["pdf", "csv", "json"])
def test_the_member_reads_the_report_but_is_not_handed_the_file(harbour, form):
    assert file_of(harbour, form, harbour.timo).status_code == 403
    assert file_of(harbour, form, harbour.tim).status_code == 404
    assert harbour.stores.reports.get(harbour.report.report_id).exported_at is None


@pytest.mark.parametrize("form", [pytest.param("pdf", marks=pytest.mark.needs_pango), "csv", "json"])
def test_every_export_is_recorded_before_it_leaves(harbour, form):
    assert file_of(harbour, form).status_code == 200
    (entry,) = harbour.stores.audit.of(f"AssessmentReports#{harbour.report.report_id}").items
    assert (entry.action, entry.actor_id, entry.after) == ("report.exported", harbour.mona.user_id, {"form": form})
    assert harbour.stores.reports.get(harbour.report.report_id).exported_at is not None
