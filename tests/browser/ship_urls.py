"""The site's addresses with ships in the place of the back office: every kind of field on one page, and children."""

from django.contrib.admin.sites import all_sites
from django.urls import path

from apps.accounts.middleware import actor_of
from apps.accounts.permissions import allowed
from apps.console.site import Console
from project.urls import urlpatterns as the_sites
from tests.console.ships import SortedShipAdmin, VisitAdmin


class WholeShipAdmin(SortedShipAdmin):
    """All fields in one section, with the children below."""

    fieldsets = None
    readonly_fields = ("crew_size",)


console = Console(WholeShipAdmin, VisitAdmin, allowed=allowed, actor_of=actor_of)
all_sites.discard(console)
urlpatterns = [path("admin/", console.urls), *the_sites]
