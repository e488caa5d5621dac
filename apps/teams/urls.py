"""Addresses below `/teams/`."""

from django.urls import path

from apps.teams.views import changing, importing, lists, team

app_name = "teams"

urlpatterns = [
    path("", lists.team_list, name="list"),
    path("new/", changing.new, name="new"),
    path("import/", importing.import_teams, name="import"),
    path("managers/", changing.managers, name="managers"),
    path("<str:team_id>/", team.team_page, name="team"),
    path("<str:team_id>/edit/", changing.edit, name="edit"),
    path("<str:team_id>/people/", team.suggestions, name="suggestions"),
    path("<str:team_id>/add/", team.add, name="add"),
    path("<str:team_id>/remove/", team.remove, name="remove"),
    path("<str:team_id>/deactivate/", team.deactivate, name="deactivate"),
    path("<str:team_id>/reactivate/", team.reactivate, name="reactivate"),
]
