"""Which settings of a script are its seed, its device, its output folder and the length of its training."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ....executor.experiments.knobs import AssignKnob, FlagKnob, Knob, VariableKnob
from ...configuration import flatten
from .settings import ScriptSettings

SEEDS = re.compile(r"^(random_?|manual_?|rng_?|torch_?|global_?|init_?)?seed$|^random_?state$", re.IGNORECASE)
DEVICES = re.compile(
    r"^(device|accelerator|device_type|(no|use|enable)_?(cuda|gpu|accel)|cuda|gpu|gpus|n_?gpus?)$", re.IGNORECASE
)
OUTPUTS = re.compile(
    r"^(out|output|outdir|out_path|save|workdir|logdir|(out|output|save|log|logging|work|run|result|results|ckpt|checkpoint|model|exp)s?"
    r"_(dir|directory|folder|path|root))$",
    re.IGNORECASE,
)
LENGTHS = re.compile(
    r"^(n_?|num_?|max_?|total_?|nb_?|train_?)*(train_?)?(epochs?|iters?|iterations?|steps?|timesteps?|updates?)$",
    re.IGNORECASE,
)
STRONGEST = (FlagKnob, AssignKnob, VariableKnob)
"""What a command can say itself goes before literals and files."""


class Role(NamedTuple):
    """One setting that has the role."""

    key: str
    value: Any
    knob: Knob


class Device(NamedTuple):
    """What chooses the device, and the value that chooses the CPU."""

    role: Role
    cpu: Any


def seed_setting(settings: ScriptSettings) -> Role | None:
    """What seeds the script: a flag before an assignment, a constant or a key of a file; None where nothing is named so."""
    return next(_roles(settings, SEEDS, (int, float, type(None))), None)


def device_setting(settings: ScriptSettings) -> Device | None:
    """What chooses the device; None where nothing is named so, or the CPU cannot be said with it."""
    for role in _roles(settings, DEVICES, (str, bool, int, list, type(None))):
        name = role.key.rpartition(".")[2].lower()
        if isinstance(role.value, bool):
            return Device(role, name.startswith("no"))
        if isinstance(role.value, str) or (role.value is None and name in ("device", "accelerator", "device_type")):
            return Device(role, "cpu")
        if isinstance(role.value, int):
            return Device(role, 0 if "gpus" in name or name.startswith("n") else -1)
    return None


def output_setting(settings: ScriptSettings) -> Role | None:
    """Where the script writes, as a folder or a file; the names nearest to `output` first."""
    roles = sorted(_roles(settings, OUTPUTS, (str, type(None))), key=lambda role: _rank(role.key))
    return roles[0] if roles else None


def training_length(settings: ScriptSettings) -> list[Role]:
    """The numbers that say how long it trains, epochs and steps; a brief run sets them to 1 or a few.

    Those that bound nothing yet, None or below 0, are among them where their name says that they are a maximum.
    """
    roles = _roles(settings, LENGTHS, (int, float, type(None)))
    return [role for role in roles if "max" in role.key.rpartition(".")[2].lower() or (role.value or 0) > 0]


def in_command(knob: Knob, placeholder: str) -> list[str]:
    """The words that hand a setting a placeholder such as `{seed}` in the command; none where no word can."""
    match knob:
        case FlagKnob(flag=flag, style="value"):
            return [flag, placeholder]
        case FlagKnob(flag=flag, style="equals"):
            return [f"{flag}={placeholder}"]
        case AssignKnob(key=key, prefix=prefix):
            return [f"{prefix}{key}={placeholder}"]
        case _:
            return []


def _roles(settings: ScriptSettings, names: re.Pattern[str], kinds: tuple[type, ...]) -> Iterator[Role]:
    """Settings whose last part is such a name, those first that the command can say."""
    found = [
        Role(key, value, settings.knobs[key])
        for key, value in flatten(settings.values).items()
        if names.match(key.rpartition(".")[2].replace("-", "_")) and isinstance(value, kinds)
    ]
    yield from sorted(found, key=lambda role: (not isinstance(role.knob, STRONGEST), role.key.count(".")))


def _rank(key: str) -> tuple[int, int]:
    name = key.rpartition(".")[2].lower()
    order = ("out", "result", "save", "work", "run", "exp", "ckpt", "checkpoint", "log", "model")
    return next((at for at, word in enumerate(order) if name.startswith(word)), len(order)), key.count(".")
