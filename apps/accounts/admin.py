"""Users in the back office."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from apps.accounts.entities import User, email_address, folded
from apps.accounts.permissions import Permission
from apps.accounts.repository import Users
from apps.console.entity_admin import EntityAdmin
from apps.console.filters import Choices, YesNo
from apps.console.listings import Listing


class UserAdmin(EntityAdmin[User]):
    """Who may sign in, by name; the password's hash is no part of it."""

    repository = Users
    sees = Permission.USERS_SEE
    sees_history = Permission.AUDIT_SEE
    exports = Permission.USERS_CHANGE
    listings = (Listing(index="directory-index", partition="users", folded=folded),)
    filters = (Choices("roles", label="Role"), YesNo("is_active"))
    finds: ClassVar[Mapping[str, Callable[[str], str]]] = {"email": email_address}
    list_display = ("name", "email", "roles", "is_active")
    labels: ClassVar[Mapping[str, str]] = {"email": "e-mail", "is_active": "active", "user_id": "id"}
    search_fields = ("name",)
    search_help_text = "Beginning of the name, or whole e-mail"
    fields = ("name", "email", "roles", "is_active", "created_at", "updated_at", "user_id")
