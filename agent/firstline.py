"""What a message says before its details: the message of a crash goes on with the lines of a traceback."""


def first_line(text: str) -> str:
    """The first line that is not blank; empty where there is none."""
    return text.strip().partition("\n")[0].rstrip()


def has_details(text: str) -> bool:
    """Whether anything follows that line."""
    return "\n" in text.strip()
