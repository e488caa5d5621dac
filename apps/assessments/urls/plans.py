"""Addresses below `/plans/`."""

from django.urls import path

from apps.assessments.views import plan_editing, plan_list, plan_page

app_name = "plans"

urlpatterns = [
    path("", plan_list.plan_list, name="list"),
    path("new/", plan_editing.new_plan, name="new"),
    path("<str:plan_id>/", plan_page.plan_page, name="plan"),
    path("<str:plan_id>/edit/", plan_editing.edit_plan, name="edit"),
    path("<str:plan_id>/activate/", plan_page.activate, name="activate"),
    path("<str:plan_id>/remind/", plan_page.send, name="remind"),
    path("<str:plan_id>/complete/", plan_page.complete, name="complete"),
    path("<str:plan_id>/archive/", plan_page.archive, name="archive"),
    path("<str:plan_id>/delete/", plan_page.delete, name="delete"),
]
