"""What can go wrong with accounts."""

from apps.errors import Forbidden, Invalid, NotFound, Unavailable


class WrongCredentials(Invalid):
    """E-mail and password do not belong together, or the account may not sign in: which of these is never told."""

    code = "wrong_credentials"


class WrongCode(Invalid):
    """No one-time code that is valid now: wrong, too old, or used already, which of these is not told."""

    code = "wrong_code"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("This code is not right, or was used already. Enter the newest one.", field="code")


class WrongToken(Forbidden):
    """No API token that is valid now, or its owner may not sign in: which of these is never told (401)."""

    code = "wrong_token"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("This API token is not valid. Make a new one on your account's page.")


class TooManyAttempts(Unavailable):
    """Refused without looking at the password; `retry_after_seconds` is the wait."""

    code = "too_many_attempts"

    def __init__(self, wait_seconds: int) -> None:
        """`wait_seconds` is a whole number of at least 1."""
        unit = "second" if wait_seconds == 1 else "seconds"
        super().__init__(
            f"Too many attempts. Try again in {wait_seconds} {unit}.", retry_after_seconds=float(wait_seconds)
        )
        self.wait_seconds = wait_seconds


class ProviderUnavailable(Unavailable):
    """The provider of single sign-on does not answer, or not as one; `reason` is for the log and holds no secret."""

    code = "provider_unavailable"

    def __init__(self, reason: str) -> None:
        """One sentence for every reason."""
        super().__init__("Single sign-on does not answer as it should right now.")
        self.reason = reason

    def again(self) -> "ProviderUnavailable":
        """The same error for somebody else."""
        return ProviderUnavailable(self.reason)


class SignInRefused(Invalid):
    """What came back from the provider is not accepted; `reason` is for the log and holds no secret."""

    code = "sign_in_refused"

    def __init__(self, reason: str) -> None:
        """One sentence for every reason: what exactly was wrong helps only whoever forged it."""
        super().__init__("What came back from single sign-on could not be accepted.")
        self.reason = reason


class NoAccount(Forbidden):
    """Nobody here is connected with this person, or who is may not sign in: which of these is never told."""

    code = "no_account"


class LinkVoid(NotFound):
    """A link to choose a password that was used, has expired, or was never made: which of these is never told."""

    code = "link_void"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("This link was used already, or its time is up. Ask for a new one.")


class MailNotSent(Unavailable):
    """The mail server did not take a mail; `message` says why, and whoever has no part in that is not told."""

    code = "mail_not_sent"
