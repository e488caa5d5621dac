"""A site with nothing but accounts, for their tests."""

from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from ninja import NinjaAPI

from apps.accounts.api import session_auth
from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.middleware import signed_in_user, user_of
from apps.accounts.urls import people

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "apps.accounts.time_zone_middleware.TimeZoneMiddleware",
    "apps.accounts.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.messages.context_processors.messages",
    "apps.accounts.context.single_sign_on",
]


class QuickArgon2(Argon2PasswordHasher):
    """The real thing at a cost that tests can pay."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1


@sign_in_required
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {signed_in_user(request).name}")


def whoever(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{user_of(request)} {request.user.is_authenticated}")


async def whoever_async(request: Any) -> HttpResponse:
    return HttpResponse(str(await request.auser()))


@sign_in_required
async def home_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {signed_in_user(request).name}")


def open_to_all(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


@permission_required("run.launch")
def launch(request: HttpRequest) -> HttpResponse:
    return HttpResponse("launched")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(reason, status=403)


api = NinjaAPI(urls_namespace="accounts-tests")


@api.get("/me", auth=session_auth)
def me(request: Any) -> dict[str, str]:
    return {"name": request.auth.name}


@api.post("/touch", auth=session_auth)
def touch(request: Any) -> dict[str, bool]:
    return {"touched": True}


urlpatterns = [
    path("", home, name="home"),
    path("whoever/", whoever),
    path("whoever-async/", whoever_async),
    path("home-async/", home_async),
    path("open/", open_to_all),
    path("launch/", launch),
    path("api/", api.urls),
    path("account/", include("apps.accounts.urls")),
    path("people/", include(people)),
]
