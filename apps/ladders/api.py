"""The API of the career ladder."""

from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from apps.accounts.middleware import address_of, signed_in_user, via_of
from apps.accounts.permissions import Permission, require
from apps.api_shapes import CHANGING, READING, CursorText
from apps.ladders.access import LONGEST_ID, beside_active, version_of
from apps.ladders.comparing import compared
from apps.ladders.errors import LadderNotFound
from apps.ladders.schemas import (
    ActivateLadderIn,
    LadderComparisonOut,
    LadderIn,
    LadderOut,
    LadderPageOut,
    comparison_out,
    ladder_out,
    listed_out,
)
from apps.ladders.services import activate_ladder, upload_ladder
from apps.ladders.wiring import default_stores

router = Router(tags=["ladder"], by_alias=True)

OtherId = Annotated[str | None, Field(max_length=LONGEST_ID)]


@router.post("", response={201: LadderOut, **CHANGING}, summary="Upload a version of the ladder")
def upload(request: HttpRequest, body: LadderIn) -> Status[LadderOut]:
    """Store a version, which is not active yet. A document that is no ladder answers 422: `details` has each line."""
    version = upload_ladder(
        default_stores(),
        content=body.content,
        ladder_version=body.ladder_version,
        note=body.note,
        actor=signed_in_user(request),
        now=datetime.now(UTC),
        address=address_of(request),
        via=via_of(request),
    )
    return Status(201, ladder_out(version))


@router.get("", response={200: LadderPageOut, **READING}, summary="List versions, newest first")
def list_versions(request: HttpRequest, cursor: CursorText = None) -> LadderPageOut:
    """Versions without what they say."""
    require(signed_in_user(request), Permission.LADDER_SEE)
    page = default_stores().ladders.listed(cursor=cursor)
    return LadderPageOut(items=[listed_out(one) for one in page.items], next=page.next, previous=page.previous)


@router.get("/active", response={200: LadderOut, **READING}, summary="Get the active ladder")
def get_active(request: HttpRequest) -> LadderOut:
    """The version that plans made now go by; 404 before the first was activated."""
    require(signed_in_user(request), Permission.LADDER_SEE)
    version = default_stores().ladders.active()
    if version is None:
        raise LadderNotFound("There is no active career ladder yet.")
    return ladder_out(version)


@router.get("/{config_id}", response={200: LadderOut, **READING}, summary="Get a version of the ladder")
def get_version(request: HttpRequest, config_id: str) -> LadderOut:
    """The version, whole."""
    require(signed_in_user(request), Permission.LADDER_SEE)
    return ladder_out(version_of(default_stores(), config_id))


@router.get("/{config_id}/comparison", response={200: LadderComparisonOut, **READING}, summary="Compare two versions")
def compare(request: HttpRequest, config_id: str, before: OtherId = None) -> LadderComparisonOut:
    """What changes from the version `before`, or from the active one where none is named, to this one."""
    require(signed_in_user(request), Permission.LADDER_SEE)
    stores = default_stores()
    found = beside_active(stores, config_id)
    former = found.version if found.is_active else found.active
    if before is not None:
        former = version_of(stores, before)
    if former is None:
        raise LadderNotFound("There is no active career ladder to compare with. Name a version with `before`.")
    return comparison_out(former, found.version, compared(former.ladder, found.version.ladder))


@router.post("/{config_id}/activate", response={200: LadderOut, **CHANGING}, summary="Activate a version")
def activate(request: HttpRequest, config_id: str, body: ActivateLadderIn | None = None) -> LadderOut:
    """Let plans made from now on go by this version; existing plans keep theirs. The active one stays as it is."""
    version = activate_ladder(
        default_stores(),
        config_id=config_id,
        replaces=body.replaces if body else None,
        actor=signed_in_user(request),
        now=datetime.now(UTC),
        address=address_of(request),
        via=via_of(request),
    )
    return ladder_out(version)
