"""What levels are called: the setting `LEVEL_NAMES`, from level 1 up."""

from django.conf import settings


def level_name(number: int) -> str:
    """The name of a level, such as “Apprentice”; empty where the setting has none for it."""
    names: tuple[str, ...] = settings.LEVEL_NAMES
    return names[number - 1] if 0 < number <= len(names) else ""


def level_words(number: int) -> str:
    """A level as people say it: “3 Practitioner”."""
    return f"{number} {level_name(number)}".strip()
