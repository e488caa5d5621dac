"""What the console's stand-ins for Django's models and querysets do not do."""


class UnsupportedQuery(ValueError):
    """Django asked for something that only SQL can answer; a `ValueError`, as its changelist expects of bad lookups."""
