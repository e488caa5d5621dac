"""What can go wrong with a run."""

from apps.errors import Conflict, Forbidden, Invalid, NotFound


class RunNotFound(NotFound):
    """No such run, or none that this person may know of."""


class InvalidLaunch(Invalid):
    """The launch cannot be accepted as it is; `findings` say what is wrong where."""

    code = "invalid_launch"


class ControlRefused(Conflict):
    """The run's state does not allow this."""

    code = "control_refused"


class CredentialsNeeded(Invalid):
    """The run's host credentials were erased and must be given again."""

    code = "credentials_needed"


class KeyReused(Conflict):
    """An idempotency key came back with another request."""

    code = "idempotency_key_reused"


class LaunchInterrupted(Conflict):
    """The launch that this idempotency key began broke off; nothing of it runs."""

    code = "launch_interrupted"


class NotAllowed(Forbidden):
    """This person may see the run but not do that."""
