"""What a script is told so that it runs here, again and again: seed, device, compilation, trackers, output."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...executor.experiments.knobs import FlagKnob
from ..configuration import flatten
from ..reading.script.roles import Role, device_setting, in_command, output_setting, seed_setting
from ..reading.script.settings import ScriptSettings
from ..reading.script.source import Source
from .findings import Change, Finding, Gap
from .lines import first_line_with
from .metricfiles import Written

COMPILE = re.compile(r"^(use_?|do_?|torch_?)?compiled?$|^compile_model$", re.IGNORECASE)
TRACKERS = re.compile(
    r"^(use_|with_|enable_)?(wandb|neptune|comet|mlflow|clearml)(_log|_enabled)?$|^track$", re.IGNORECASE
)
OFFLINE = {
    "wandb": ("WANDB_MODE", "disabled"),
    "comet_ml": ("COMET_MODE", "disabled"),
    "neptune": ("NEPTUNE_MODE", "offline"),
}
GPU = re.compile(r"cuda|gpu", re.IGNORECASE)
MENTIONS_GPU = re.compile(r"\.cuda\(|[\"']cuda(:\d)?[\"']")
TESTS_GPU = re.compile(
    r"startswith\(\s*[\"']cuda[\"']|[=!]=\s*[\"']cuda(:\d)?[\"']|[\"']cuda(:\d)?[\"']\s*(in\b|[=!]=)"
)
"""Asks whether it runs on one, and does not ask for one."""
CHECKS_GPU = re.compile(r"cuda\.is_available|cuda\.device_count|accelerator\.is_available")


@dataclass(frozen=True)
class Choices:
    """A command as a study runs it, and everything that is set for it."""

    command: str
    changes: tuple[Change, ...]
    environment: Mapping[str, str]
    metrics_file: str | None
    """With `{out}` where the script's output goes there."""
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


def chosen(
    text: str, settings: ScriptSettings, files: Sequence[Source], written: Sequence[Written], *, gpu: bool
) -> Choices:
    """What follows for a command from its settings.

    Args:
        text: The command.
        settings: Everything that it can be told.
        files: The source that it consists of, the script first.
        written: The files of metrics that it may write, the likeliest first.
        gpu: Whether there is one here.
    """
    seed, output = seed_setting(settings), output_setting(settings)
    findings = [_seed(seed, text, settings, files)]
    if seed is not None:
        text = with_words(text, seed, "{seed}")
    metrics, text = _metrics_file(written, output, text)
    changes = [*_device(settings, files, gpu=gpu), *_switches(settings)]
    findings += [
        Finding("setting", f"{one.key} = {one.value!r}", _place(settings, one.key), one.why) for one in changes
    ]
    environment = {
        name: value for module, (name, value) in OFFLINE.items() if first_line_with(files, f"import {module}")
    }
    findings += [
        Finding("environment", f"{name}={value}", "", "a trial has no network") for name, value in environment.items()
    ]
    return Choices(
        text, tuple(changes), environment, metrics, tuple(findings), tuple(_gpu_gap(files, changes, gpu=gpu))
    )


def with_words(text: str, role: Role, placeholder: str) -> str:
    """The command with a placeholder for one of its settings, in place of the value that it gives, if it gives one."""
    words = in_command(role.knob, placeholder)
    if not words:
        return text
    names = (role.knob.flag, *role.knob.aliases) if isinstance(role.knob, FlagKnob) else (words[0].partition("=")[0],)
    for name in names:
        ahead = rf"(?<!\S){re.escape(name)}"
        spaced = re.compile(rf"{ahead}[ =](?!-)\S+") if isinstance(role.knob, FlagKnob) else re.compile(rf"{ahead}=\S*")
        if spaced.search(text):
            return spaced.sub(lambda _: " ".join(words), text, count=1)
    return f"{text} {' '.join(words)}"


def _seed(seed: Role | None, text: str, settings: ScriptSettings, files: Sequence[Source]) -> Finding:
    if seed is not None and in_command(seed.knob, "{seed}"):
        return Finding("seed", " ".join(in_command(seed.knob, "{seed}")), _place(settings, seed.key))
    if "{seed}" in text:
        return Finding("seed", "{seed}", "", "it is in the command")
    fixed = first_line_with(files, "manual_seed(") or (_place(settings, seed.key) if seed else "")
    why = "the script seeds itself, and every trial gives it another seed there" if fixed else "the script sets none"
    return Finding("seed", "from outside", fixed, f"no flag says it: {why}")


def _metrics_file(written: Sequence[Written], output: Role | None, text: str) -> tuple[str | None, str]:
    """Where the likeliest file of metrics will be, and the command that puts it there.

    It may be a glob pattern: folders are named by the time, or by what nothing here knows.
    """
    if not written:
        return None, text
    one, folder = written[0], output.value if output and isinstance(output.value, str) else None
    below = folder is not None and one.name.startswith(f"{folder.removeprefix('./')}/")
    if one.fixed and not below:
        return one.name, text
    if output is not None and in_command(output.knob, "{out}"):
        return f"{{out}}/**/{Path(one.name).name}", with_words(text, output, "{out}")
    return f"{f'{folder}/' if folder else ''}**/{Path(one.name).name}", text


def _device(settings: ScriptSettings, files: Sequence[Source], *, gpu: bool) -> Iterator[Change]:
    """What makes it run on the CPU, where there is nothing else and it does not look for itself."""
    device = None if gpu else device_setting(settings)
    if device is None:
        return
    value = device.role.value
    wants = bool(GPU.search(value)) if isinstance(value, str) else value not in (None, device.cpu)
    if isinstance(value, str) and wants:
        yield Change(device.role.key, device.cpu, f"there is no GPU here, and it asks for {value}")
    elif wants and not any(CHECKS_GPU.search(line) for file in files for line in file.lines):
        yield Change(device.role.key, device.cpu, "there is no GPU here, and nothing asks whether there is one")


def _switches(settings: ScriptSettings) -> Iterator[Change]:
    for key, value in flatten(settings.values).items():
        name = key.rpartition(".")[2].replace("-", "_")
        if value is True and COMPILE.match(name):
            yield Change(
                key, False, "modules of a compiled model cannot be cut, and compiling takes longer than it saves here"
            )
        elif value is True and TRACKERS.match(name):
            yield Change(key, False, "a trial has no network to report to")
        elif value is False and name.lower() in ("no_compile", "disable_compile"):
            yield Change(key, True, "modules of a compiled model cannot be cut")


def _gpu_gap(files: Sequence[Source], changes: Sequence[Change], *, gpu: bool) -> Iterator[Gap]:
    """A GPU that is asked for in the middle of the source, where no setting reaches."""
    lines = [line for file in files for line in file.lines]
    if gpu or any("GPU" in one.why for one in changes) or any(CHECKS_GPU.search(line) for line in lines):
        return
    for file in files:
        for number, line in enumerate(file.lines, 1):
            if MENTIONS_GPU.search(TESTS_GPU.sub("", line.partition("#")[0])) and "argument" not in line:
                yield Gap(
                    f"{file.name}:{number} asks for a GPU, and there is none here",
                    "run the study where there is one, or make the device a constant or a flag that can be set",
                )
                return


def _place(settings: ScriptSettings, key: str) -> str:
    place: Any = settings.places.get(key)
    return f"{place.file}:{place.line}" if place else ""
