"""Ids that follow from what a thing is about, so that it cannot be there twice."""

import uuid
from typing import Final

from apps.assessments.entities import AssessmentType

_ASSESSMENTS: Final = uuid.UUID("6f1c6a0e-52c9-4e0b-9d43-0a1d7b6c2f51")
_REPORTS: Final = uuid.UUID("b7a7f4f4-8a54-4c93-8a9e-8f5c1b1f7a02")


def assessment_id(plan_id: str, member_id: str, kind: AssessmentType) -> str:
    """The id of the assessment of this kind of this member under this plan."""
    return str(uuid.uuid5(_ASSESSMENTS, f"{plan_id}/{member_id}/{kind}"))


def report_id(plan_id: str, member_id: str) -> str:
    """The id of the report on this member under this plan."""
    return str(uuid.uuid5(_REPORTS, f"{plan_id}/{member_id}"))
