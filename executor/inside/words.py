"""A command of the study file as the words that are run: placeholders filled in, flags taken out and added."""

import os
import re
import shlex
import sys
from typing import Any, Dict, List

PYTHON = re.compile(r"^python[0-9.]*$")
OVERRIDES = "{overrides}"
NUMBER = re.compile(r"^-\.?\d")


def words_of(job: "Dict[str, Any]", name: str, arm: "Dict[str, Any]", values: "Dict[str, str]") -> "List[str]":
    """The command `name` of the job for one arm, through a shell where only a shell understands it."""
    given: List[str] = list(job["words"][name])
    values = {**values, "python": sys.executable}
    if not given:
        return ["/bin/sh", "-c", _shell_text(job["commands"][name], arm, values)]
    first = job["arguments_from"][name]
    alone = arm.get("alone", ())
    words = given[:first] + without_flags(given[first:], arm["drop"], alone)
    added = [filled(word, values) for word in arm["append"]]
    found: List[str] = []
    for word in words:
        if word == OVERRIDES:
            found += added
        else:
            found.append(filled(word.replace(OVERRIDES, " ".join(added)), values))
    if not any(OVERRIDES in word for word in words):
        found += added
    if PYTHON.match(found[0]):
        found[0] = sys.executable
    return found


def without_flags(words: "List[str]", drop: "List[str]", alone: "List[str]") -> "List[str]":
    """`words` without these flags and the values behind them; `alone`: those of them that have none."""
    kept: List[str] = []
    dropping = False
    for word in words:
        is_flag = word.startswith("-") and not NUMBER.match(word)
        if dropping and not is_flag and word != OVERRIDES:
            continue
        name = word.partition("=")[0]
        dropping = name in drop and "=" not in word and name not in alone
        if name not in drop:
            kept.append(word)
    return kept


def filled(text: str, values: "Dict[str, str]") -> str:
    """`text` with the placeholders that are known replaced; other braces stay."""
    return re.sub(r"\{([a-z]+)\}", lambda found: values.get(found[1], found[0]), text)


def _shell_text(text: str, arm: "Dict[str, Any]", values: "Dict[str, str]") -> str:
    for flag in arm["drop"]:
        value = "" if flag in arm.get("alone", ()) else r"(\s+(?!-[^\d.])[^\s;&|<>{]\S*)*"
        text = re.sub(r"(?<!\S)%s(=\S*|%s)(?!\S)" % (re.escape(flag), value), "", text)
    added = " ".join(shlex.quote(filled(word, values)) for word in arm["append"])
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    return filled(
        text if OVERRIDES in text or not added else "%s %s" % (text, OVERRIDES), {**quoted, "overrides": added}
    )


def environment_of(
    job: "Dict[str, Any]", arm: "Dict[str, Any]", values: "Dict[str, str]", offline: bool
) -> "Dict[str, str]":
    """The environment of the command: the study's own before our defaults, the arm's before both."""
    threads = str(job["threads"])
    defaults = {
        "TORCHDYNAMO_DISABLE": "1",
        "MPLBACKEND": "Agg",
        "WANDB_MODE": "disabled",
        "NUMEXPR_NUM_THREADS": threads,
    }
    if offline:
        defaults.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")
    own = {name: filled(value, values) for name, value in os.environ.items()}
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        if own.get(name, "1") == "1":
            own[name] = threads
    set_ = {name: filled(value, values) for name, value in arm["environment"].items()}
    found = {**defaults, **own, **set_}
    found["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), found.get("PATH", os.defpath)])
    return found
