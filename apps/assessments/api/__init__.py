"""The API of plans and of assessments."""
