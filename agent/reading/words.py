"""What the words of a setting's name say: which kind of component it is, and whether it is one at all."""

import re

from ..components import ComponentKind


def _set(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


RATE_WORDS = _set(
    "dropout droppath pdrop smoothing decay wd l1 l2 reg regularization penalty prob probability weight coef coeff",
    "coefficient lambda kl gp momentum warmup noise jitter mixup cutmix cutout erasing shift translate rotation",
    "rotate degrees shear flip hue saturation brightness contrast augment augmentation",
)
"""Numbers that remove something when they are 0."""
SCALE_WORDS = _set(
    "epoch epochs step steps iter iters iterations lr width depth dim dims channel channels layer layers head heads",
    "batch size seed device path dir file worker workers interval every freq frequency keep rank groups",
)
"""Numbers that say how much of everything: never ablated."""
BOOKKEEPING_WORDS = _set(
    "verbose debug compile compiled amp fp16 bf16 tf32 half autocast mixed log logs logging logger wandb tensorboard",
    "tqdm progress quiet save saving checkpoint checkpoints checkpointing eval evaluation resume download overwrite",
    "profile dry deterministic benchmark cudnn cuda gpu mps ddp distributed fused flash pin persistent cache inplace",
    "device path seed print tags partial recursive finite accel accelerator accelerators",
)
"""Settings of the run rather than of what is learnt."""
PHASES = _set("train test validate predict fit")
"""As the whole name of a switch: which parts of the run there are."""
NEGATIONS = _set("no not disable disabled without exclude freeze frozen")
TAKES_AWAY = _set("no disable without")
"""Of these, the first words of a switch that takes away what its other words name."""
FILLERS = _set("use enable enabled apply active rate prob probability")

KIND_WORDS: tuple[tuple[ComponentKind, str], ...] = (
    ("regularization", "smoothing wd l1 l2 reg regularization penalty stochastic weight+decay"),
    ("schedule", "schedule scheduler sched warmup annealing cosine lr+decay learning+rate"),
    ("optimizer", "momentum nesterov ema swa clip optimizer amsgrad lookahead sam grad+norm"),
    ("augmentation", "mixup cutmix cutout erasing jitter noise rotation rotate degrees shear translate shift flip hue"),
    ("augmentation", "saturation brightness contrast augment augmentation augmentations randaugment autoaugment crop"),
    ("preprocessing", "standardize standardise whiten whitening preprocess preprocessing rescale normalize+inputs"),
    ("preprocessing", "normalize normalise normalize+images"),
    ("loss_term", "aux auxiliary loss lambda coef coeff coefficient kl gp entropy weight"),
    ("skip_connection", "residual residuals skip shortcut shortcuts"),
    ("normalization", "norm batchnorm layernorm rmsnorm groupnorm bn ln normalization"),
    ("activation", "activation activations act relu gelu silu nonlinearity"),
    ("embedding", "embedding embeddings embed positional position"),
    ("attention", "attention attn"),
    ("data", "shuffle data dataset sampler oversample oversampling"),
)


def words(key: str) -> list[str]:
    """The lower-case words of a name: `model.useBatchNorm` is model, use, batch, norm; `drop_path` is one, and no path."""
    key = re.sub(r"drop_?path", "droppath", key, flags=re.IGNORECASE)
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+", key)]


def _in_any_script(key: str) -> list[str]:
    key = re.sub(r"drop_?path", "droppath", key, flags=re.IGNORECASE)
    runs: list[str] = re.findall(r"[^\W_]+", key)
    return [word for run in runs for word in (words(run) if run.isascii() else [run.lower()])]


def label(key: str) -> str:
    """The name as a table would print it: `model.use_batch_norm` is `model batch norm`, `no_augment` is `augment`."""
    named = _in_any_script(key)
    if takes_away(key):
        last = _in_any_script(key.rpartition(".")[2])
        named = [*named[: len(named) - len(last)], *last[1:]]
    return " ".join(word for word in named if word not in FILLERS) or key


def kind_of(key: str) -> ComponentKind:
    """The kind that the last part of a dotted key names, else that the parts around it do."""
    for part in reversed(key.split(".")):
        present = set(words(part))
        if any("drop" in word for word in present):
            return "regularization"
        for kind, signs in KIND_WORDS:
            if any(present.issuperset(sign.split("+")) for sign in signs.split()):
                return kind
    return "other"


def is_bookkeeping(key: str) -> bool:
    """Whether a setting is about the run (logging, devices, precision), not about what is learnt."""
    *_, last = key.split(".")
    if last.lower() in PHASES:
        return True
    return not BOOKKEEPING_WORDS.isdisjoint(words(key)) or words(last)[:2] == ["drop", "last"] or "do" in words(last)


def is_negated(key: str) -> bool:
    """Whether switching it off would switch something on, as with `no_bias`."""
    return not NEGATIONS.isdisjoint(words(key.rsplit(".", maxsplit=1)[-1]))


def takes_away(key: str) -> bool:
    """Whether a switch, once on, removes what its other words name, as with `no_augment` and `disable_warmup`."""
    named = words(key.rsplit(".", maxsplit=1)[-1])
    return len(named) > 1 and named[0] in TAKES_AWAY


def is_rate(key: str) -> bool:
    """Whether a number reads as a rate or weight whose removal is 0; scale never does."""
    named = words(key.rsplit(".", maxsplit=1)[-1])
    present = set(named)
    if present & {"keep", "lr"} and not present & {"warmup"}:
        return False
    if present >= {"stochastic", "depth"} or ("warmup" in present and named[-1] not in ("lr", "init", "factor")):
        return True
    if present & (SCALE_WORDS | {"pos", "class", "bn", "init"}):
        return False
    return bool(present & RATE_WORDS) or any("drop" in word for word in present)


def is_scale(key: str, value: object) -> bool:
    """Whether a number says how much of everything there is, such as epochs or width: less of it is no ablation."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and not is_rate(key) and not SCALE_WORDS.isdisjoint(words(key.rsplit(".", maxsplit=1)[-1]))


def is_clip(key: str) -> bool:
    """Whether a number bounds gradients: 0 switches that off in some code, and stops all learning in other."""
    present = set(words(key.rsplit(".", maxsplit=1)[-1]))
    return "clip" in present or present >= {"grad", "norm"}


def is_schedule(key: str) -> bool:
    """Whether a choice is about the learning rate over time, where `constant` means none."""
    return kind_of(key) == "schedule" or not {"lr", "decay", "policy"}.isdisjoint(words(key))
