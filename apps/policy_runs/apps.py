"""Batches of policy numbers taken through a host terminal."""

from django.apps import AppConfig


class PolicyRunsConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.policy_runs"
    label = "policy_runs"
    verbose_name = "Policy runs"
