"""Which language model is asked, where, and what that may cost: from flags, the environment and the study file, in this order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...executor.errors import ModelError
from ..spec import PlannerSection

OPENAI = "https://api.openai.com/v1"
MODEL, BASE_URL, KEY = "LESION_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"


@dataclass(frozen=True)
class ModelSettings:
    """All that a client needs to know; the key is never shown."""

    model: str
    base_url: str | None
    """None is OpenAI's own server."""
    key: str | None = field(repr=False)
    max_tokens_total: int
    max_cost: float | None
    """Dollars."""
    price_input: float | None
    """Dollars per million tokens sent."""
    price_output: float | None
    """Dollars per million tokens received."""
    context_tokens: int
    answer_tokens: int
    temperature: float | None
    seed: int | None
    timeout: float
    """Seconds of silence."""
    stream: bool = False

    @property
    def server(self) -> str:
        """The server's address as it may be written down: without user, password and query."""
        parts = urlsplit(self.base_url or OPENAI)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def model_settings(
    planner: PlannerSection,
    environment: Mapping[str, str],
    *,
    model: str | None = None,
    base_url: str | None = None,
    stream: bool = False,
) -> ModelSettings:
    """The settings of the client.

    Args:
        planner: the study file's `[planner]`.
        environment: of the process; LESION_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY are read.
        model: from a flag, before all others.
        base_url: from a flag, before all others.
        stream: show the answer while it comes.

    Raises:
        ModelError: something is missing or cannot be; all of it is named at once.
    """
    name, address = _model(planner, environment, model), _address(planner, environment, base_url)
    key = _given(environment.get(KEY))
    problems = [*_missing(name, address, key), *_impossible(planner, address, key)]
    if problems or name is None:
        raise ModelError(
            "the language model cannot be used:" + "".join(f"\n  - {problem}" for problem in problems),
            to_do="or plan without one: `--planner rules` needs none of this",
        )
    return ModelSettings(
        model=name,
        base_url=address,
        key=key,
        max_tokens_total=planner.max_tokens_total,
        max_cost=planner.max_cost,
        price_input=planner.price_input,
        price_output=planner.price_output,
        context_tokens=planner.context_tokens,
        answer_tokens=planner.answer_tokens,
        temperature=planner.temperature,
        seed=planner.seed,
        timeout=planner.timeout,
        stream=stream,
    )


def is_configured(
    planner: PlannerSection,
    environment: Mapping[str, str],
    *,
    model: str | None = None,
    base_url: str | None = None,
) -> bool:
    """Whether somebody meant a language model to be used here: it has a name, and a key or an address of its own."""
    name, address = _model(planner, environment, model), _address(planner, environment, base_url)
    return not _missing(name, address, _given(environment.get(KEY)))


def _given(value: str | None) -> str | None:
    return (value or "").strip() or None


def _model(planner: PlannerSection, environment: Mapping[str, str], flag: str | None) -> str | None:
    return _given(flag) or _given(environment.get(MODEL)) or _given(planner.model)


def _address(planner: PlannerSection, environment: Mapping[str, str], flag: str | None) -> str | None:
    return _given(flag) or _given(environment.get(BASE_URL)) or _given(planner.base_url)


def _missing(model: str | None, base_url: str | None, key: str | None) -> list[str]:
    problems: list[str] = []
    if model is None:
        problems.append(f"no model is named: set {MODEL}, or [planner] model in the study file")
    if key is None and base_url is None:
        problems.append(
            f"no key: set {KEY}; a local server needs none, but its address: set {BASE_URL}, or [planner] base_url"
        )
    return problems


def _impossible(planner: PlannerSection, base_url: str | None, key: str | None) -> list[str]:
    problems = [*_misaddressed(base_url)] if base_url else []
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        problems.append(f"{KEY} holds characters that no key has: copy it again")
    absent = [name for name in ("price_input", "price_output") if getattr(planner, name) is None]
    if planner.max_cost is not None and absent:
        problems.append(f"[planner] max_cost needs prices: give {' and '.join(absent)}, in dollars per million tokens")
    if planner.answer_tokens * 2 > planner.context_tokens:
        problems.append(
            f"[planner] answer_tokens = {planner.answer_tokens} is more than half of context_tokens = "
            f"{planner.context_tokens}, which hold question and answer together"
        )
    return problems


def _misaddressed(base_url: str) -> list[str]:
    try:
        parts = urlsplit(base_url)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return [f"base_url is no address: {base_url!r}"]
    if not complete:
        return [f"base_url is no address: {base_url!r}; write it as http://localhost:8000/v1"]
    if parts.path.rstrip("/").endswith("/completions"):
        return [f"base_url goes too far: {base_url!r}; leave out /chat/completions"]
    return []
