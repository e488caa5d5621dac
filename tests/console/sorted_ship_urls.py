"""The site's addresses, with the console of ships whose pages are put in order."""

from django.urls import path

from project.urls import urlpatterns as the_sites
from tests.console.ships import sorted_console

urlpatterns = [path("admin/", sorted_console.urls), *the_sites]
