"""What is done with identities at a provider of single sign-on."""

from apps.accounts.oidc.config import Claims, SingleSignOn
from apps.accounts.repository import Identities
from apps.accounts.services.single_sign_on import connect, disconnect, sign_in_with_identity
from tests.audit.deeds import ADDRESS, NOW, SECRETS, Deed, World, of_ada, of_nora

ISSUER = "https://people.example.org"
CHOSEN = SingleSignOn(issuer=ISSUER, client_id="rungs", client_secret=SECRETS[1], new_accounts=True)
CLAIMS = Claims(issuer=ISSUER, subject="s-1", email="nn@example.org", email_verified=True, name="Nora New")


def connected(w: World) -> None:
    connect(w.users, Identities(w.stores.store), user=w.ada, claims=CLAIMS, chosen=CHOSEN, **w.recorded)


def disconnected(w: World) -> None:
    w.ada = w.users.save(w.ada.evolve(password_hash=w.passwords.hashed(SECRETS[0])))
    connected(w)
    disconnect(w.users, Identities(w.stores.store), user=w.ada, chosen=CHOSEN, **w.recorded)


def came(w: World) -> None:
    w.nora = sign_in_with_identity(
        w.users, Identities(w.stores.store), claims=CLAIMS, chosen=CHOSEN, address=ADDRESS, now=NOW, audit=w.audit
    )


LINK = {"issuer": ISSUER, "subject": "s-1"}
DEEDS = [
    Deed(connect, connected, of_ada, "user.identity_linked", {}, LINK),
    Deed(disconnect, disconnected, of_ada, "user.identity_unlinked", LINK, {}),
    Deed(sign_in_with_identity, came, of_nora, "user.created", {}, {"email": "nn@example.org"}, by="Nora New"),
]
