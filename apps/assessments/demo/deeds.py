"""What people did, by competency and by how far they are in it; each goes on from "In <some work> I ..." or a name."""

from typing import Final

Bands = tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
"""Two deeds each of those who learn, of those who carry the work, and of those who lead."""

WORK: Final = (
    "the move of the renewal letters to the new service",
    "the intake of hail claims",
    "the spring release",
    "the portal for brokers",
    "the nightly reconciliation",
    "the change of the premium tables",
    "the new sign-in for brokers",
    "the archive of old contracts",
    "the clean-up of the address data",
    "the payment run at the end of the quarter",
)
DEEDS: Final[dict[str, Bands]] = {
    "Design and code": (
        (
            "followed the agreed structure and asked before leaving it",
            "drew the parts that the change touches before writing any of it",
        ),
        (
            "compared two designs in writing and had the simpler one accepted",
            "cut a service that had grown too large into two with a clear border",
        ),
        (
            "settled how four teams exchange contracts, and wrote down what was decided against",
            "removed a whole layer that nobody needed any more, without an hour of downtime",
        ),
    ),
    "Testing": (
        (
            "wrote tests for every fix, with help on the harder ones",
            "found the missing case in a colleague's change",
        ),
        (
            "brought the suite from forty minutes to six, so that people run it again",
            "wrote the tests first and found two errors in the specification by it",
        ),
        (
            "changed how all teams test: small steps, and each can be taken back",
            "set up checks that three other teams have taken over since",
        ),
    ),
    "Running in production": (
        (
            "was on call together with a colleague and kept the log",
            "followed the run book and noted what was missing in it",
        ),
        (
            "found the cause of the slow mornings and had it mended within the week",
            "led the response to an outage calmly, and wrote up what it taught",
        ),
        (
            "halved the calls at night by taking away their three commonest causes",
            "built the rehearsal that is now held before each quarter's end",
        ),
    ),
    "Planning": (
        (
            "cut the own work into days and said early when one was missed",
            "kept the board up to date without being asked",
        ),
        (
            "cut the work into steps that could each go live by themselves",
            "said after two days, not after two weeks, that the date would not hold",
        ),
        (
            "brought five teams to one order of work and held it through two changes of plan",
            "stopped a piece that would have cost half a year, with figures",
        ),
    ),
    "Finishing": (
        (
            "finished the agreed pieces, and left the last tenth open only once",
            "came back to two open questions without a reminder",
        ),
        (
            "looked after the change until the last branch used it",
            "took over the interface that belonged to nobody, and closed its old faults",
        ),
        (
            "brought a stuck piece of a whole year to an end in six weeks",
            "answered for the result before the board, also where it was poor",
        ),
    ),
    "Risk and change": (
        (
            "asked what could go wrong before the first release",
            "took the change back at once when the figures looked odd",
        ),
        (
            "drew up the risks before the work began, which changed the plan",
            "rolled the change out branch by branch, with a way back at each step",
        ),
        (
            "led the switch of the whole portfolio over one weekend, rehearsed three times",
            "made the way back a part of each plan, in all teams",
        ),
    ),
    "Communication": (
        (
            "summed up each meeting in five lines",
            "asked until the order was clear, and wrote it down",
        ),
        (
            "explained the change to the branches so well that hardly anybody rang",
            "rewrote the guide that new people start with",
        ),
        (
            "kept underwriting and engineering in talks through a hard month",
            "told the whole house in ten minutes why it is done",
        ),
    ),
    "Feedback": (
        (
            "asked for feedback after each larger piece and used it",
            "thanked people by name for their part",
        ),
        (
            "said plainly but kindly what had gone wrong in the review",
            "settled a quarrel about priorities between two colleagues",
        ),
        (
            "made it usual to speak about mistakes without blame",
            "told even the head of the department what others would not say",
        ),
    ),
    "Teaching": (
        (
            "showed the trainee around and answered the daily questions",
            "worked in pairs twice a week",
        ),
        (
            "brought two new colleagues to their first release within a month",
            "held the course on tests that others now ask for",
        ),
        (
            "prepared a successor and then really handed over",
            "built up how the company interviews, and trained eight people in it",
        ),
    ),
    "Knowing the customer": (
        (
            "sat with the clerks for a day and noted what slows them down",
            "learned the terms of the motor tariffs",
        ),
        (
            "noticed from the calls that the form asked one question too many",
            "turned down a wish with a better idea",
        ),
        (
            "saw before others that brokers needed this, and proved it with a trial",
            "shaped next year's offer together with sales",
        ),
    ),
    "Deciding": (
        (
            "made suggestions in the planning and gave reasons",
            "decided small things alone and told the team",
        ),
        (
            "led a group of three to an agreed answer",
            "decided within a day where others had waited for weeks",
        ),
        (
            "turned down the popular way with figures, and was right",
            "set the direction for the coming year and won people over to it",
        ),
    ),
    "Improving how we work": (
        (
            "worked through the course on queries and used it the week after",
            "noted what slowed the work, and told it in the retrospective",
        ),
        (
            "tried out two tools in a week and advised against both, with reasons",
            "brought in an idea that saves the team a day a month",
        ),
        (
            "started the monthly hour in which one failure is taken apart",
            "changed the way of working and measured that it helped",
        ),
    ),
}
OTHERWISE: Final[Bands] = (
    (
        "did what was asked with care, and asked where it was unclear",
        "learned from each review",
    ),
    (
        "took on a piece from the first idea to its use, without help",
        "helped two colleagues over a hard spot",
    ),
    (
        "changed how others work here, and it lasted",
        "helped other teams that asked for advice on it",
    ),
)
