"""Three seasons that are over and one under way, for the demo organisation: always the same, but for the dates."""

from apps.assessments.demo.seeding import seed_demo_seasons

__all__ = ["seed_demo_seasons"]
