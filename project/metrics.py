"""What Prometheus may read of this process, for whoever shows the token."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from apps.storage.metering import observe_always
from apps.storage.prometheus import StoreMetrics
from apps.storage.registry import declared_tables

REGISTRY = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for

if settings.METRICS_TOKEN:  # nobody could read the counters otherwise
    observe_always(StoreMetrics(tables=[table.name for table in declared_tables()], registry=REGISTRY))


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The counters in Prometheus' format; 404, as at no address, without `RUNGS_METRICS_TOKEN` as bearer token.

    Each web process answers for itself.
    """
    if not _may_read(request):
        raise Http404
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(REGISTRY), content_type=content_type)


def _may_read(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and constant_time_compare(given.strip(), token)
