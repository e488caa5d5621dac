"""Answers on their way into an assessment: several at once, each over the revision that its writer knew.

Writers of different competencies never disturb one another. Of two who change the same one, the second learns what the
first one wrote, and nothing is lost on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.entities import User
from apps.assessments.entities import LONGEST_ANSWER, LONGEST_TEXT, Answer, Assessment, AssessmentStatus
from apps.assessments.errors import AssessmentLocked, InvalidAnswer
from apps.assessments.services.opening import Ground, ground_of
from apps.assessments.stores import Stores
from apps.ladders.ladder import Ladder, Place
from apps.storage.errors import Contention, ItemTooLarge, StaleVersion

TRIES = 8

Finding = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """An answer of any length as somebody gave it, who knew the competency's answer in this revision."""

    place: Place
    level: int | None = None
    evidence: str = ""
    next_level_feedback: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConclusion:
    """The overall level and the way forward as somebody gave them, who knew them in this revision."""

    current_level: int | None = None
    way_forward: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOutcome:
    """What became of an answer: with `is_saved` it is what is stored now, else another one is, which is this."""

    place: Place
    is_saved: bool
    answer: Answer
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionOutcome:
    """The same of overall level and way forward."""

    is_saved: bool
    current_level: int | None
    way_forward: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The assessment as it is stored now, and what became of all that was given."""

    assessment: Assessment
    answers: tuple[AnswerOutcome, ...]
    conclusion: ConclusionOutcome | None

    @property
    def is_all_saved(self) -> bool:
        """Whether nothing was changed elsewhere."""
        return all(one.is_saved for one in self.answers) and (self.conclusion is None or self.conclusion.is_saved)


def start(stores: Stores, *, assessment_id: str, by: User, now: datetime) -> Assessment:
    """The assessment, begun; one that was begun before stays as it is.

    Raises `AssessmentNotFound`, `Forbidden`, `AssessmentLocked`.
    """
    ground = ground_of(stores, assessment_id=assessment_id, by=by)
    ground.require_filling_in(by)
    ground.require_open()
    if ground.assessment.status is not AssessmentStatus.NOT_STARTED:
        return ground.assessment
    try:
        return stores.assessments.save(ground.assessment.evolve(status=AssessmentStatus.IN_PROGRESS, updated_at=now))
    except StaleVersion as lost:
        if not isinstance(lost.stored, Assessment) or lost.stored.status is AssessmentStatus.NOT_STARTED:
            raise
        return lost.stored


def save_answers(
    stores: Stores,
    *,
    assessment_id: str,
    by: User,
    now: datetime,
    answers: Sequence[GivenAnswer] = (),
    conclusion: GivenConclusion | None = None,
    resume_at: str | None = None,
) -> Saved:
    """Save what was given, one by one: of what was changed since its revision, the stored version stays and is told.

    An answer that is stored already counts as saved, whatever its revision, so that one whose confirmation was lost can
    be sent again. Raises `AssessmentNotFound`, `Forbidden`, `AssessmentLocked`, `InvalidAnswer` (nothing is saved
    then), and `Contention` where others keep writing.
    """
    ground = ground_of(stores, assessment_id=assessment_id, by=by)
    ground.require_filling_in(by)
    ground.require_open()
    _check(ground.ladder, answers, conclusion, resume_at)
    stored = ground.assessment
    for _ in range(TRIES):
        merged = _merged(stored, answers, conclusion, resume_at, now=now)
        changed = merged.assessment
        if changed is stored:
            return merged
        try:
            saved = stores.assessments.save(changed)
        except StaleVersion as lost:
            stored = _still_open(ground, lost)
        except ItemTooLarge as error:
            message = (
                "All answers of this assessment together are longer than what can be stored. Shorten some of them."
            )
            raise InvalidAnswer(message, findings=[{"message": message}]) from error
        else:
            return Saved(assessment=saved, answers=merged.answers, conclusion=merged.conclusion)
    raise Contention


def _still_open(ground: Ground, lost: StaleVersion) -> Assessment:
    stored: Assessment | None = lost.stored
    if stored is None:
        raise lost
    if stored.is_submitted:
        raise AssessmentLocked(
            "This assessment was submitted meanwhile, so it takes no more answers. An administrator can reopen it."
        ) from lost
    if not stored.is_open:
        raise AssessmentLocked("This assessment takes no more answers: it ended unfinished meanwhile.") from lost
    if stored.assessor_id != ground.assessment.assessor_id:
        raise AssessmentLocked("This assessment was given to somebody else meanwhile.") from lost
    return stored


def _merged(
    stored: Assessment,
    answers: Sequence[GivenAnswer],
    conclusion: GivenConclusion | None,
    resume_at: str | None,
    *,
    now: datetime,
) -> Saved:
    """The assessment with all that may go into it; the very one that is stored where nothing changes."""
    changed, outcomes = stored, []
    for given in answers:
        answer = Answer(level=given.level, evidence=given.evidence, next_level_feedback=given.next_level_feedback)
        is_saved = changed.answer(given.place) == answer or stored.revision(given.place) == given.revision
        if is_saved:
            changed = changed.answered(given.place, answer, now=now)
        outcomes.append(
            AnswerOutcome(
                place=given.place,
                is_saved=is_saved,
                answer=changed.answer(given.place),
                revision=changed.revision(given.place),
            )
        )
    concluded = None
    if conclusion is not None:
        wanted = (conclusion.current_level, conclusion.way_forward)
        same = wanted == (stored.current_level, stored.way_forward)
        is_saved = same or stored.texts_revision == conclusion.revision
        if is_saved:
            changed = changed.concluded(*wanted, now=now)
        concluded = ConclusionOutcome(
            is_saved=is_saved,
            current_level=changed.current_level,
            way_forward=changed.way_forward,
            revision=changed.texts_revision,
        )
    if resume_at is not None and resume_at != changed.resume_at:
        changed = changed.evolve(resume_at=resume_at, updated_at=now)
    return Saved(assessment=changed, answers=tuple(outcomes), conclusion=concluded)


def _check(
    ladder: Ladder, answers: Sequence[GivenAnswer], conclusion: GivenConclusion | None, resume_at: str | None
) -> None:
    findings: list[Finding] = []
    if len({given.place for given in answers}) < len(answers):
        findings.append({"message": "A competency can be answered only once in a request."})
    for given in answers:
        findings += faults_of_answer(ladder, given)
    if conclusion is not None:
        findings += faults_of_conclusion(ladder, conclusion)
    if resume_at is not None and ladder.category(resume_at) is None:
        findings.append({"message": "The ladder of this plan has no such category.", "field": "resume_at"})
    if findings:
        raise InvalidAnswer(str(findings[0]["message"]), findings=findings)


def faults_of_answer(ladder: Ladder, given: GivenAnswer) -> list[Finding]:
    """What is wrong with an answer: each fault with its message, competency and field."""
    category, title = given.place
    where: Finding = {"category": category, "competency": title}
    competency = ladder.competency(given.place)
    if competency is None:
        return [{"message": f"The ladder of this plan has no “{title}” in “{category}”.", **where}]
    found: list[Finding] = []
    if given.level is not None and competency.level(given.level) is None:
        message = f"{title}: choose a level from 1 to {len(competency.levels)}."
        found.append({"message": message, "field": "level", **where})
    texts = {
        "evidence": too_long(f"{title}: the evidence", given.evidence, LONGEST_ANSWER),
        "next_level_feedback": too_long(f"{title}: the next-level text", given.next_level_feedback, LONGEST_ANSWER),
    }
    return found + [{"message": message, "field": field, **where} for field, message in texts.items() if message]


def faults_of_conclusion(ladder: Ladder, given: GivenConclusion) -> list[Finding]:
    """What is wrong with overall level and way forward: each fault with its message and field."""
    found: list[Finding] = []
    if given.current_level is not None and not 1 <= given.current_level <= ladder.highest:
        message = f"Choose an overall level from 1 to {ladder.highest}."
        found.append({"message": message, "field": "current_level"})
    message = too_long("The way forward", given.way_forward, LONGEST_TEXT)
    return [*found, {"message": message, "field": "way_forward"}] if message else found


def too_long(what: str, text: str, most: int) -> str:
    """What to say of a text that is longer than `most` characters; empty where it is not."""
    over = len(text) - most
    return f"{what} has {len(text):,} characters. Shorten it by {over:,} to {most:,}." if over > 0 else ""
