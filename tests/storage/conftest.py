"""A store that is told what to say."""

from collections.abc import Iterator
from typing import get_args

import pytest
from botocore.awsrequest import AWSResponse

from apps.storage.connection import DataPlaneName, Store
from tests.storage.teller import DONE, Teller, telling


@pytest.fixture(scope="module")
def tellers() -> Iterator[Teller]:
    with telling() as teller:
        yield teller


@pytest.fixture
def teller(tellers: Teller) -> Teller:
    tellers.replies, tellers.asked = [DONE], []
    return tellers


@pytest.fixture(scope="module", params=get_args(DataPlaneName))
def patient(request: pytest.FixtureRequest, tellers: Teller) -> Store:
    return Store(
        environment="dev",
        prefix="told",
        endpoint=tellers.address,
        region="eu-west-1",
        attempts=3,
        read_timeout_seconds=0.2,
        data_plane=request.param,
    )


@pytest.fixture
def told(patient: Store) -> Store:
    """A store there that sends a request at most three times, whatever other tests used up of its retries."""
    patient.client.meta.events.emit(
        "after-call.dynamodb.GetItem",
        context={"retry_quota_capacity": 500},
        http_response=AWSResponse("", 200, {}, None),
    )
    return patient
