"""What a deployment says about its provider of single sign-on."""

from dataclasses import dataclass, field

from apps.accounts.entities import Role

DEFAULT_LABEL = "single sign-on"
DEFAULT_SCOPES = ("openid", "email", "profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSignOn:
    """One provider that speaks OpenID Connect.

    `issuer` is compared letter for letter. With `email_domains` only people whose confirmed address is of one of them
    come in by it. `new_accounts`: whoever is unknown gets an account, with `new_account_roles`. `trusts_emails`: an
    address that the provider confirms connects whoever comes first with the account that has it.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = DEFAULT_LABEL
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    email_domains: frozenset[str] = frozenset()
    new_accounts: bool = False
    new_account_roles: frozenset[Role] = frozenset()
    trusts_emails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the provider says of a person, verified to come from it and for us.

    `email` may be empty and is as the provider wrote it; it counts for nothing unless `email_verified`.
    """

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
