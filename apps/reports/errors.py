"""What can go wrong with reading, discussing and handing out reports."""

from apps.assessments.entities import Report
from apps.errors import Conflict, Unavailable


class NotesChanged(Conflict):
    """Somebody else wrote notes since these were read; `stored` is the report as it is now."""

    code = "notes_changed"

    def __init__(self, stored: Report) -> None:
        """One sentence, and what is stored."""
        super().__init__(
            "Somebody changed these notes since you opened them. Compare what is stored with yours, then save again."
        )
        self.stored = stored


class PdfUnavailable(Unavailable):
    """No PDF can be made on this machine, or not now; `message` says why and what to do."""

    code = "pdf_unavailable"
