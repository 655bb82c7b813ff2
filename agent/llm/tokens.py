"""How many tokens a text has, about: no tokenizer fits every model, so bytes are counted and corrected by what servers report."""

from collections import deque

BYTES_A_TOKEN = 3.0
"""Source code has 2.8 to 4 bytes a token in the tokenizers in use; few bytes a token is the cautious side."""
RECENT = 8
BOUNDS = 0.75, 4.0


def estimate_tokens(text: str) -> int:
    """Tokens of `text`, rather too many than too few."""
    return -int(-len(text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN)


class Scale:
    """What this server's tokens are to our estimates: the largest ratio of the last few exchanges, 1 before the first.

    It is fed only by exchanges of this process, answered or replayed, in their order: a study that is replayed sees the same
    numbers, and so asks the same questions.
    """

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=RECENT)

    def learn(self, estimated: int, reported: int) -> None:
        """One exchange's question, as estimated by `estimate_tokens` and as the server counted it."""
        if estimated > 0 and reported > 0:
            self._ratios.append(min(max(reported / estimated, BOUNDS[0]), BOUNDS[1]))

    @property
    def factor(self) -> float:
        """Real tokens per estimated token."""
        return max(self._ratios, default=1.0)
