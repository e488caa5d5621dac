"""The private names of Django that the console stands on: what fails here is to be read first after an upgrade."""

import inspect

from django import forms
from django.contrib.admin import ModelAdmin, helpers, utils
from django.contrib.admin.sites import all_sites
from django.contrib.admin.views import main
from django.contrib.contenttypes.models import ContentType, ContentTypeManager
from django.test import RequestFactory

from apps.accounts.entities import ANONYMOUS
from apps.terminal.repository import Hosts
from project.console import console


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_change_form_can_be_had_without_its_transaction():
    """The outer views open a SQL transaction around them: `EntityAdmin` calls the inner ones instead."""
    assert parameters(ModelAdmin._changeform_view) == ["request", "object_id", "form_url", "extra_context"]
    assert parameters(ModelAdmin._delete_view) == ["request", "object_id", "extra_context"]


def test_content_types_can_be_put_into_their_cache():
    """The change form asks for the content type of its model: `twins.py` puts it there, or it is looked for in SQL."""
    assert parameters(ContentTypeManager._add_to_cache) == ["using", "ct"]
    assert isinstance(ContentType.objects._cache, dict)
    for model in console._registry:
        assert ContentType.objects.get_for_model(model, for_concrete_model=False).model == model._meta.model_name


def test_every_model_has_a_content_type_number_of_its_own():
    numbers = [ContentType.objects.get_for_model(model).pk for model in console._registry]
    assert len(set(numbers)) == len(numbers)


def test_the_changelist_asks_for_its_rows_where_they_are_given():
    """`CursorList` replaces these, and reads the cursor where Django has the number of a page."""
    assert parameters(main.ChangeList.get_results) == ["request"]
    assert parameters(main.ChangeList.get_ordering) == ["request", "queryset"]
    assert (main.PAGE_VAR, main.ERROR_FLAG, main.ORDER_VAR) == ("p", "e", "o")


def test_the_changelist_asks_once_what_filters_make_of_the_address():
    """`CursorList.get_filters` takes ours out and gives back what is left, which `Rows` refuses; it comes first."""
    assert parameters(main.ChangeList.get_filters) == ["request"]
    assert parameters(main.ChangeList.get_filters_params) == ["params"]
    source = inspect.getsource(main.ChangeList.__init__)
    assert source.index("self.filter_params = dict(") < source.index("self.get_queryset(request)")
    assert source.index("self.get_queryset(request)") < source.index("self.get_results(request)")
    assert "self.get_filters(request)" in inspect.getsource(main.ChangeList.get_queryset)


def test_the_list_is_a_template_response_that_carries_the_changelist():
    """`EntityAdmin.changelist_view` makes it answer 422 where a filter is malformed."""
    source = inspect.getsource(inspect.unwrap(ModelAdmin.changelist_view))
    assert '"cl": cl' in source
    assert "TemplateResponse(" in source


def test_values_and_labels_are_found_by_the_name_of_a_column():
    """`templatetags/console.py` shows them in our own way."""
    assert parameters(utils.lookup_field) == ["name", "obj", "model_admin"]
    assert parameters(utils.label_for_field)[:3] == ["name", "model", "model_admin"]


def test_a_read_only_field_of_a_form_tells_its_name():
    """`form.html` shows its value in our own way."""
    assert parameters(helpers.AdminReadonlyField.__init__) == ["form", "field", "is_first", "model_admin"]
    assert "readonly_fields" in parameters(helpers.AdminForm.__init__)
    admin = console.get_model_admin(next(model for model in console._registry if model._meta.model_name == "host"))
    request = RequestFactory().get("/")
    request.user = ANONYMOUS
    form = admin.get_form(request, fields=[])(instance=admin.row(Hosts.entity(host_name="a", address="b", port=1)))
    assert helpers.AdminReadonlyField(form, "port", is_first=True, model_admin=admin).field["field"] == "port"


def test_a_form_can_be_shown_with_other_values_than_it_was_sent_with():
    """`EntityForm` brings itself up to date after a conflict: unbound, and with its bound fields forgotten."""
    form = forms.Form({})
    form.fields["port"] = forms.IntegerField(initial=1)
    assert form["port"].value() is None
    form.is_bound = False
    assert "port" in form._bound_fields_cache
    form._bound_fields_cache.clear()
    assert form["port"].value() == 1


def test_sites_can_be_enumerated_for_their_checks():
    """`checks.py` looks for consoles here."""
    assert console in all_sites
