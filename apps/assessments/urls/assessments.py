"""Addresses below `/assessments/`."""

from django.urls import path

from apps.assessments.views import assessments

app_name = "assessments"

urlpatterns = [
    path("", assessments.assessment_list, name="list"),
    path("<str:assessment_id>/", assessments.assessment_page, name="assessment"),
    path("<str:assessment_id>/review/", assessments.review_page, name="review"),
    path("<str:assessment_id>/reopen/", assessments.reopen_page, name="reopen"),
]
