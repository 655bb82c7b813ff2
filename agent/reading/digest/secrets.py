"""What must not leave the machine: files that hold secrets by their name, and values in texts that look like one.

Known formats come from the plugins of detect-secrets, whose patterns only are used: nothing is ever verified over the
network. Left out are its entropy plugins, which in the sources of torch and transformers take one line in fifteen for a
secret, and its keyword plugin, which does not know the names of machine learning; what they would find is looked for by
the rules below.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from math import log2
from typing import Protocol, cast

MARKER = "‹secret removed›"
FILES = (
    ".env* *.env .netrc _netrc .npmrc .pypirc .pgpass .htpasswd .git-credentials *.pem *.key *.p12 *.pfx *.jks *.keystore "
    "*.kdb *.kdbx *.ppk *.ovpn *.gpg id_rsa* id_dsa* id_ecdsa* id_ed25519* credentials* *credentials.json *secret* "
    "*password* service-account* service_account* kaggle.json kubeconfig*"
).split()
"""Glob patterns over the parts of a path, in lower case."""
PLUGINS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
"""Modules of `detect_secrets.plugins` and the class in each."""
FORMATS = [
    re.compile(pattern)
    for pattern in (
        r"\bhf_[A-Za-z0-9]{30,}\b",  # Hugging Face
        r"\bsk-[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, OpenRouter, …
        r"\bgithub_pat_[A-Za-z0-9_]{22,}\b",
        r"\bAIza[A-Za-z0-9_-]{35}",  # Google
        r"\bgsk_[A-Za-z0-9]{20,}\b",  # Groq
        r"\br8_[A-Za-z0-9]{30,}\b",  # Replicate
        r"\bxai-[A-Za-z0-9]{20,}\b",
        r"(?i)\bbearer\s+([A-Za-z0-9._~+/-]{20,}=*)",
    )
]
"""Formats that detect-secrets 1.5 does not know."""
NAMED = re.compile(
    r"""(?ix)
    (?<![a-z]) (?P<name>[\w.-]{0,60}(?:passw(?:or)?d|passphrase|pwd|secret|credential|token|key|dsn)s?)
    ["']? \s* \]? \s* (?: :\s*[\w.\[\]| ]{1,40} (?==) )? \s* (?:[:=]|=>|:=) \s*
    (?: [rbf]{0,2} (?P<quote>["']) (?P<quoted>(?:(?!(?P=quote)).){6,200}) (?P=quote) | (?P<bare>[^\s"'\#,;()\[\]{}]{8,200})(?=\s|$|\#|,|;) )
    """
)
"""`name = "value"`, `"name": "value"`, `name: value`, where the name sounds like a secret."""
SURE = re.compile(
    r"(?i)(passw(or)?d|passphrase|pwd|secret|credential|dsn|(api|access|private|auth|account|encryption|wandb|hub|hf|service)[_.-]?(key|token))s?$"
)
"""Names whose value is a secret even where it is a word; a `token` or `key` alone is one only where it looks random."""
PRIVATE_KEY = re.compile(
    r"-----BEGIN[A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:.{0,6000}?-----END[A-Z0-9 ]*-----|[\sA-Za-z0-9+/=\\\"',]*)", re.S
)
VARIABLE = re.compile(r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)($|_)")
LONGEST = 4000
"""Characters of a line: what is longer is data, and is cut."""
CUT = " ‹line cut›"
SHORTEST = 8
"""Characters of a value of the environment that is looked for."""


class _Plugin(Protocol):
    def analyze_string(self, string: str) -> Iterable[str]: ...


def withheld(path: str) -> bool:
    """Whether a path (with forward slashes) names a file, or a folder, that holds secrets by custom."""
    return any(fnmatchcase(part, glob) for part in path.lower().split("/") for glob in FILES)


def known_secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of the environment's variables that are named like keys, longest first."""
    found = {value for name, value in environment.items() if VARIABLE.search(name.upper()) and len(value) >= SHORTEST}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def redacted(text: str, known: Iterable[str] = ()) -> tuple[str, int]:
    """`text` with every secret replaced by a marker, lines kept but the longest cut, and how many lines lost one.

    Args:
        text: Source, configuration, or any other text.
        known: Literal values to remove, e.g. those of `known_secrets`.
    """
    cleared = PRIVATE_KEY.sub(lambda match: "\n".join(MARKER for _ in match[0].split("\n")), text)
    for value in known:
        cleared = cleared.replace(value, MARKER)
    lines = [_redacted_line(line) for line in cleared.split("\n")]
    return "\n".join(lines), sum(
        MARKER in new and MARKER not in old for old, new in zip(text.split("\n"), lines, strict=True)
    )


def _redacted_line(line: str) -> str:
    if len(line) > LONGEST:  # with room to see a secret that the cut goes through
        return _redacted_line(line[:LONGEST])[: LONGEST - 500] + CUT
    for pattern in FORMATS:
        line = pattern.sub(lambda match: match[0].replace(match[match.lastindex or 0], MARKER), line)
    for plugin in _plugins():
        for secret in plugin.analyze_string(line):  # of some formats only the beginning
            if secret and secret not in MARKER:
                line = re.sub(re.escape(secret) + r"[\w+/=.-]*", MARKER, line)
    return NAMED.sub(_named, line)


def _named(match: re.Match[str]) -> str:
    value: str = match["quoted"] or match["bare"]
    secret = _is_secret(match["name"], value, quoted=bool(match["quoted"]))
    start = match.start("quoted" if match["quoted"] else "bare") - match.start()
    return match[0][:start] + MARKER + match[0][start + len(value) :] if secret else match[0]


def _is_secret(name: str, value: str, *, quoted: bool) -> bool:
    if MARKER in value or "${" in value or "{{" in value or value.startswith(("<", "$", "/", "~")):
        return False
    if SURE.search(name) and " " not in value:
        random = any(letter.isdigit() for letter in value)
        words = re.fullmatch(r"[a-z]+([_.-][a-z]+)+|[A-Z]+(_[A-Z]+)+", value) is not None
        return (quoted and not words) or (random and re.fullmatch(r"[\w.-]*\.[A-Za-z_]\w*", value) is None)
    return _looks_random(value)


def _looks_random(value: str) -> bool:
    """Whether it is long, of letters and digits without a word's shape, and as mixed as chance would have it."""
    if len(value) < 16 or re.fullmatch(r"[A-Za-z0-9+/=_-]+", value) is None:
        return False
    kinds = [any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit)]
    return sum(kinds) >= 2 and kinds[2] and _entropy(value) >= 3.0 and sum(map(str.isdigit, value)) >= 3


def _entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    shares = [value.count(letter) / len(value) for letter in set(value)]
    return -sum(share * log2(share) for share in shares)


@cache
def _plugins() -> list[_Plugin]:
    """Imported when a text is first read: start-up stays free of it."""
    modules = ((import_module(f"detect_secrets.plugins.{module}"), name) for module, name in PLUGINS.items())
    return [cast("_Plugin", getattr(module, name)()) for module, name in modules]
