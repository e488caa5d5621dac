"""The back office: Django's admin over what the apps declare in their `admin.py`."""

from apps.accounts.access_admin import ApiTokenAdmin, IdentityAdmin, WebSessionAdmin
from apps.accounts.admin import UserAdmin
from apps.accounts.middleware import actor_of
from apps.accounts.permissions import allowed
from apps.assessments.admin.assessments import AssessmentAdmin
from apps.assessments.admin.plans import PlanAdmin
from apps.console.site import Console
from apps.ladders.admin import LadderAdmin
from apps.policy_runs.admin import AstAdmin, HostAdmin, ResultAdmin, RunAdmin, SessionAdmin
from apps.reports.admin import ReportAdmin
from apps.teams.admin import MembershipAdmin, TeamAdmin
from apps.trail.admin import AuditAdmin
from project.admin import CheckpointAdmin, TrashAdmin

ADMINS = (
    ReportAdmin,
    *(RunAdmin, ResultAdmin, SessionAdmin, AstAdmin, HostAdmin),
    LadderAdmin,
    *(TeamAdmin, MembershipAdmin),
    *(PlanAdmin, AssessmentAdmin),
    *(UserAdmin, ApiTokenAdmin, WebSessionAdmin, IdentityAdmin),
    *(AuditAdmin, TrashAdmin, CheckpointAdmin),
)
console = Console(*ADMINS, allowed=allowed, actor_of=actor_of)
