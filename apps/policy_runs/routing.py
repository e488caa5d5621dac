"""Addresses of the sockets."""

from django.urls import path

from apps.policy_runs.consumers import PolicyRunConsumer

websocket_urlpatterns = [path("ws/policy-runs/<str:execution_id>/", PolicyRunConsumer.as_asgi())]
