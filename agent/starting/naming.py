"""What a metric's name says: which split it is of, which way is better, or that it is none at all."""

import re

from .findings import Goal


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


COUNTERS = _words(
    "epoch epochs step steps iter iters iteration iterations it batch batches time took elapsed eta lr seed rank gpu cuda",
    "sec secs second seconds s ms min minutes h hours speed throughput memory mem params parameters number num size",
    "total fold run version device cpu samples tokens examples images sentences mfu dt norm wd momentum workers",
    "threads length len count vocab dataset layers heads dim index id port progress dropout patience",
    "info debug warning python torch using saved saving",
)
"""Last words of names that only count, time, or set."""
EXTREMES = _words("best min max minimum maximum std")
LEADS = _words(
    "the a an at on in is are of and with for after final finally current mean avg average running now set data"
)
SPLITS = {
    "valid": "val", "validation": "val", "val": "val", "dev": "val", "eval": "val", "evaluation": "val",
    "test": "test", "testing": "test", "train": "train", "training": "train",
}  # fmt: skip
SPLIT_WORD = re.compile(rf"(?<![A-Za-z])({'|'.join(SPLITS)})(?![A-Za-z])", re.IGNORECASE)
LESS = _words(
    "loss losses error err perplexity ppl bpc bpb bpd nll ce xent mse mae rmse l1 l2 wer cer fid kl cost regret",
    "divergence distance eer crossentropy bce mape",
)
MORE = _words(
    "acc accuracy f1 auc auroc auprc ap map precision prec recall bleu rouge meteor score reward return psnr ssim iou miou",
    "dice r2 correlation correct top1 top5 hits ndcg mrr em success kappa mcc sensitivity specificity likelihood",
)


def words_of(name: str) -> list[str]:
    """Its lower-case words: `Acc@1` is acc, 1; `valLoss` is val, loss."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    return [word for word in re.split(r"[\W_]+", name.lower()) if word]


def goal_of(name: str) -> Goal | None:
    """Which way is better, by the last word that says so."""
    for word in reversed(words_of(name)):
        if word in LESS or word.endswith("loss"):
            return "minimize"
        if word in MORE:
            return "maximize"
    return None


def split_of(name: str) -> str:
    """`val`, `test`, `train`, or nothing."""
    return next((SPLITS[word] for word in words_of(name) if word in SPLITS), "")


def key_of(shown: str, split: str) -> str | None:
    """A metric's key, such as `val_loss`; None for what only counts, times, or is of no use.

    Args:
        shown: The words before the number.
        split: The split that the words around it name, where its own do not.
    """
    words = [word for word in words_of(shown) if word not in LEADS]
    if not words or words[-1] in COUNTERS or words[-2:] == ["learning", "rate"]:
        return None
    start = max((at for at, word in enumerate(words) if word in COUNTERS), default=-1) + 1
    named = [SPLITS.get(word, word) for word in words[start:]]
    if all(word in SPLITS.values() or word in EXTREMES or word.isdigit() for word in named):
        return None
    own = next((word for word in named if word in SPLITS.values()), split)
    rest = [word for word in named if word != own]
    return "_".join([own, *rest] if own else rest)[:60]


def rank(name: str) -> tuple[int, int, int]:
    """Smaller for what a study should rather be about: validation before training, what papers report before losses."""
    goal = goal_of(name)
    split = {"val": 0, "test": 1, "": 2, "train": 3}[split_of(name)]
    return (int(goal is None), split, int("best" in words_of(name)) + {"maximize": 0, "minimize": 2, None: 4}[goal])
