"""The site's addresses, with the ships' console in the place of the back office."""

from django.urls import path

from project.urls import urlpatterns as the_sites
from tests.console.ships import console

urlpatterns = [path("admin/", console.urls), *the_sites]
