"""The API's own description names each shape once: of two with one name it would show one for both."""

import inspect
import pkgutil
from collections import defaultdict
from importlib import import_module

from ninja import Schema

import apps


def test_no_two_shapes_have_the_same_name() -> None:
    places = defaultdict(set)
    for info in pkgutil.walk_packages(apps.__path__, "apps."):
        for name, shape in inspect.getmembers(import_module(info.name), inspect.isclass):
            if issubclass(shape, Schema) and shape.__module__ == info.name:
                places[name].add(shape.__module__)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
