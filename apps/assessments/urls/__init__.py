"""Addresses of plans and of assessments."""
