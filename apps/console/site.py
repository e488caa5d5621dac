"""Django's admin site in this house: our sign-in, our frame, and nothing for those who are not staff."""

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from apps.audit.entities import Actor
from apps.console.entity_admin import EntityAdmin
from apps.console.forms.resume import form_at, resumed, signed_out
from apps.console.lists.actions import DELETE
from apps.errors import NotFound

# Signing in, passwords and what Django's own scripts ask for: we have our own, or none.
LEFT_OUT = frozenset(
    {"login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site"}
)


# What the start page calls what somebody may do.
MAY: Mapping[str, str] = {"see": "view", "add": "add", "change": "change", "delete": "delete"}


class Console(AdminSite):
    """The back office.

    `allowed` says whether a user may do what a permission names, to this entity or to any; `actor_of` whom the audit
    log names for a request.
    """

    site_title = "Back office"
    site_header = "Back office"
    index_title = "Back office"
    index_template = "console/index.html"
    app_index_template = "console/index.html"

    def __init__(
        self,
        *admins: type[EntityAdmin[Any]],
        allowed: Callable[[Any, str, Any], bool],
        actor_of: Callable[[HttpRequest], Actor],
    ) -> None:
        """Register every admin on the model of its entity."""
        super().__init__("admin")
        self.allowed = allowed
        self.actor_of = actor_of
        self.disable_action("delete_selected")
        for admin in admins:
            self.register(admin.twin(), admin)

    def admin_of(self, kind: type[EntityAdmin[Any]]) -> EntityAdmin[Any] | None:
        """The registered admin of this class; None where there is none."""
        found = self._registry.get(kind.twin())
        return found if isinstance(found, EntityAdmin) else None

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the back office exists for who asks."""
        user: Any = request.user
        return bool(user.is_active and user.is_staff)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        """The view behind our sign-in; to whoever is signed in but not staff it does not exist."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                if request.method == "POST" and form_at(request.path, namespace=self.name):
                    return signed_out(request, resume_address=reverse(f"{self.name}:resume"))
                back = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{back}")
            if not self.has_permission(request):
                raise NotFound("There is no such page, or you may not see it.")
            answer: HttpResponse = view(request, *args, **kwargs)
            return answer

        guarded = csrf_protect(inner if cacheable else never_cache(inner))
        return update_wrapper(guarded, view)

    def get_urls(self) -> list[Any]:
        """Django's addresses without those that we have of our own."""
        kept = [url for url in super().get_urls() if getattr(url, "name", None) not in LEFT_OUT]
        return [path("resume/", resumed(self.name), name="resume"), *kept]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What this user may see, by app; of each kind of row a sentence, and in words what they may do."""
        found: list[Any] = super().get_app_list(request, app_label)
        admins: Mapping[Any, Any] = self._registry
        for model in (one for app in found for one in app["models"]):
            admin = admins[model["model"]]
            deeds = [one.label.removesuffix(" …") for name, one in admin.actions_for(request).items() if name != DELETE]
            may = [word for word, named in MAY.items() if model["perms"][named]]
            model["about"] = admin.about
            model["may"] = ", ".join([*may, *(label[:1].lower() + label[1:] for label in deeds)])
        return found

    def get_log_entries(self, request: HttpRequest) -> Any:
        """None: what was done is in the audit log."""
        del request
        return []
