"""Where plans, assessments and reports are stored."""

from apps.storage.table import Index, Key, Recovery, Table

_PLAN_LISTED = (
    "planName",
    "startDate",
    "status",
    "configId",
    "configVersion",
    "memberCount",
    "selfSubmitted",
    "managerSubmitted",
    "reportCount",
)
_ASSESSMENT_LISTED = (
    "planId",
    "teamId",
    "teamMemberId",
    "assessmentType",
    "assessorId",
    "season",
    "configId",
    "status",
    "answeredCount",
    "competencyCount",
    "submittedAt",
    "reopenedAt",
    "endedAt",
    "updatedAt",
)
# All but what people wrote after they had met: that can be sixty times as much as the levels.
_REPORT_LISTED = (
    "planId",
    "teamId",
    "teamMemberId",
    "season",
    "configId",
    "selfAssessmentId",
    "managerAssessmentId",
    "finalLevel",
    "selfAssessedLevel",
    "variance",
    "generatedAt",
    "exportedAt",
    "reopenedAt",
    "discussedOn",
    "notesRevision",
)


def _but(listed: tuple[str, ...], *keys: str) -> tuple[str, ...]:
    return tuple(name for name in listed if name not in keys)


ASSESSMENT_PLANS = Table(
    name="AssessmentPlans",
    partition_key=Key("planId"),
    indexes=(
        Index(name="teamId-index", partition_key=Key("teamId"), question="Which plans does this team have?"),
        Index(name="status-index", partition_key=Key("status"), question="Which plans are in this state?"),
        Index(
            name="season-index",
            partition_key=Key("season"),
            sort_key=Key("teamId"),
            include=(*_PLAN_LISTED, "endDate", "levelCounts"),
            question="Which plans does this season have, and what came of them?",
        ),
        Index(
            name="due-endDate-index",
            partition_key=Key("due"),
            sort_key=Key("endDate"),
            include=(*_PLAN_LISTED, "teamId", "season", "remindedOn", "activatedAt"),
            question="Which plans are under way, the first due first?",
        ),
        Index(
            name="managerId-endDate-index",
            partition_key=Key("managerId"),
            sort_key=Key("endDate"),
            include=(*_PLAN_LISTED, "teamId", "season"),
            question="Which plans do this person's teams have, the last to end first?",
        ),
        Index(
            name="unsettled-index",
            partition_key=Key("unsettled"),
            sort_key=Key("planId"),
            include=(),
            question="Which plans have assessments that have yet to follow them?",
        ),
        Index(
            name="reminding-index",
            partition_key=Key("reminding"),
            sort_key=Key("planId"),
            include=(),
            question="Which plans have reminders that have yet to go out?",
        ),
    ),
    description="What a team assesses in a season, and how far it is.",
)
ASSESSMENTS = Table(
    name="Assessments",
    partition_key=Key("assessmentId"),
    indexes=(
        Index(
            name="planId-teamMemberId-index",
            partition_key=Key("planId"),
            sort_key=Key("teamMemberId"),
            question="What was assessed under this plan, with every answer?",
        ),
        Index(
            name="teamMemberId-index",
            partition_key=Key("teamMemberId"),
            question="Which assessments are about this person, with every answer?",
        ),
        Index(
            name="planId-matrix-index",
            partition_key=Key("planId"),
            sort_key=Key("teamMemberId"),
            include=_but(_ASSESSMENT_LISTED, "planId", "teamMemberId"),
            question="How far is each assessment of this plan?",
        ),
        Index(
            name="assessorId-status-index",
            partition_key=Key("assessorId"),
            sort_key=Key("status"),
            include=_but(_ASSESSMENT_LISTED, "assessorId", "status"),
            question="Which assessments wait for this person?",
        ),
    ),
    recovery=Recovery.EVERYWHERE,
    description="What people and their managers say about their levels.",
)
ASSESSMENT_REPORTS = Table(
    name="AssessmentReports",
    partition_key=Key("reportId"),
    indexes=(
        Index(
            name="planId-index",
            partition_key=Key("planId"),
            include=_but(_REPORT_LISTED, "planId"),
            question="Which reports came of this plan?",
        ),
        Index(
            name="teamMemberId-index",
            partition_key=Key("teamMemberId"),
            include=_but(_REPORT_LISTED, "teamMemberId"),
            question="Which reports are on this person?",
        ),
    ),
    recovery=Recovery.EVERYWHERE,
    description="What came of two assessments: levels, and where the views differ.",
)
SEASONS = Table(
    name="Seasons",
    partition_key=Key("board"),
    sort_key=Key("season"),
    description="The seasons for which there is, or was, a plan.",
)

TABLES = (ASSESSMENT_PLANS, ASSESSMENTS, ASSESSMENT_REPORTS, SEASONS)
