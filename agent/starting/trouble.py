"""What kept a script from running through, told from how it ended and what it printed last."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .brief import Ran
from .findings import Gap


class _Kind(NamedTuple):
    """One kind of trouble: how it shows, what it is, what to do."""

    shows: re.Pattern[str]
    what: str
    """`{0}` is what was found."""
    to_do: str


KINDS: Sequence[_Kind] = (
    _Kind(
        re.compile(r"No module named '?([\w.]+)"),
        "the package {0} is missing",
        "install it into that Python (`{python} -m pip install {0}`), or give --interpreter",
    ),
    _Kind(
        re.compile(
            r"(Temporary failure in name resolution|Name or service not known|Network is unreachable|URLError|"
            r"Max retries exceeded|NameResolutionError|We couldn't connect to|LocalEntryNotFoundError|getaddrinfo failed)"
        ),
        "it needs the network ({0}), and a trial has none",
        "run the script once by yourself so that what it downloads lies in the project or in a folder under [sandbox] read, "
        "or set network = true under [sandbox]",
    ),
    _Kind(
        re.compile(r"(EOF when reading a line|EOFError)"),
        "it asks for input ({0}), and nobody answers in a trial",
        "give what it asks for as arguments, with --command",
    ),
    _Kind(
        re.compile(r"(Torch not compiled with CUDA enabled|No CUDA GPUs are available|Found no NVIDIA driver|CUDA error|cuda\.amp|NCCL)"),
        "it needs a GPU ({0}), and there is none here",
        "run the study where there is one, or set its device under [experiment.set]",
    ),
    _Kind(
        re.compile(r"error: (the following arguments are required: [^\n]+|unrecognized arguments: [^\n]+|argument [^\n]+)"),
        "its command is not complete: {0}",
        "give the whole command with --command",
    ),
    _Kind(
        re.compile(r"No such file or directory: '?\"?([^'\"\n]+)"),
        "it does not find {0}",
        "put it there; a place outside the project is named under [sandbox] read",
    ),
)  # fmt: skip
STATUSES = {
    "out-of-memory": "give it more under [limits] trial_memory, or set a smaller model or batch under [experiment.set]",
    "disk-full": "give it more under [limits] trial_disk",
    "timed-out": "give it longer with --time, or a shorter training under [experiment.set]",
    "killed": "run it by hand to see what ends it",
    "refused": "see the message",
}


def trouble(ran: Ran, python: str) -> Gap | None:
    """What went wrong, in one sentence, and what to do; None where the run came to its end."""
    if ran.finished:
        return None
    said = f"{ran.output}\n{ran.message}"
    for kind in KINDS if ran.status == "crashed" else ():
        if found := kind.shows.findall(said):
            last = found[-1].strip()
            return Gap(
                kind.what.format(last), kind.to_do.replace("{python}", python).replace("{0}", last.split(".")[0])
            )
    if ran.status == "timed-out" and not ran.output.strip():
        return Gap(f"it printed nothing in {ran.allowed:g} s: it hangs, or takes longer", STATUSES["timed-out"])
    if ran.status == "timed-out":
        return Gap(f"it was not done after {ran.allowed:g} s", STATUSES["timed-out"])
    to_do = STATUSES.get(ran.status, "make it run by itself first, then run `lesion init --force`")
    return Gap(
        f"it ended as {ran.status}: {ran.message.splitlines()[0] if ran.message else 'no reason was given'}", to_do
    )


def last_lines(ran: Ran, count: int = 12) -> list[str]:
    """The end of what it printed."""
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", ran.output) if line.strip()]
    return lines[-count:]
