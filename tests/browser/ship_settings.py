"""The site's settings with the tests' ships in the place of the back office: forms with every kind of field."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.browser.ship_urls"
