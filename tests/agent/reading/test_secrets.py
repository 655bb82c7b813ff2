"""Secrets of every kind, made up and put together here so that no scanner takes this file for a leak."""

import subprocess
import sys

import pytest
from lesion.agent.reading.digest.secrets import MARKER, known_secrets, redacted, withheld

MIXED = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"
HEX = "0123456789abcdef0123456789abcdef01234567"
SECRETS = {
    "aws id": "AKIA" + "IOSFODNN7EXAMPLQ",
    "aws secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "github": "ghp_" + MIXED + "abcd",
    "github fine": "github_pat_" + MIXED,
    "openai": "sk-" + MIXED,
    "openai project": "sk-proj-" + MIXED,
    "anthropic": "sk-ant-api03-" + MIXED,
    "hugging face": "hf_" + MIXED,
    "google": "AIza" + MIXED + "abc",
    "slack": "xoxb-123456789012-123456789012-" + MIXED[:24],
    "jwt": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "stripe": "sk_live_" + MIXED[:24],
    "gitlab": "glpat-" + MIXED[:20],
}


@pytest.mark.parametrize("kind", SECRETS)
def test_known_formats(kind):
    secret = SECRETS[kind]
    name = "aws_secret_key" if kind == "aws secret" else "x"
    text, count = redacted(f'one = 1\n{name} = "{secret}"  # kept\ntwo = 2\n')
    assert secret not in text
    assert text == f'one = 1\n{name} = "{MARKER}"  # kept\ntwo = 2\n'
    assert count == 1


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('password = "hunter2xyz"', "hunter2xyz"),
        ('DB_PASSWORD: str = "correct-horse9"', "correct-horse9"),
        ('config["api_key"] = "abcdefgh"', "abcdefgh"),
        ('{"client_secret": "qwertyuiop"}', "qwertyuiop"),
        ("api_key: abcd1234efgh", "abcd1234efgh"),
        ("secret: 's3cr3tvalue'", "s3cr3tvalue"),
        (f'wandb.login(key="{HEX}")', HEX),
        (f"WANDB_API_KEY={HEX}", HEX),
        (f"token = '{MIXED}'", MIXED),
        ("url = 'postgres://user:pa55word@host/db'", "pa55word"),
        (f"headers = {{'Authorization': 'Bearer {MIXED}'}}", MIXED),
    ],
)
def test_values_under_a_name_that_says_so(line, secret):
    text, count = redacted(line)
    assert (secret not in text, MARKER in text, count) == (True, True, 1)


@pytest.mark.parametrize(
    "line",
    [
        'api_key = os.environ["OPENAI_API_KEY"]',
        'pad_token = "<|endoftext|>"',
        'token: str = "[CLS]"',
        "tokens = tokenizer(text)",
        'key = "attention.query"',
        'state_dict["transformer.h.0.attn.c_attn.weight"]',
        f'revision = "{HEX}"',
        "password: str | None = None",
        'def login(password="", token=None):',
        'token_key = "image_token_id"',
        "secret_size: 128",
        'x = "https://example.org/path:8080@v1"',
        "api_key: ${API_KEY}",
        "for key in sorted(self.keys): total += self[key]",
        'num_key_value_heads = "num_attention_heads_12"',
        "self.api_key = config.api_key2",
    ],
)
def test_code_stays(line):
    assert redacted(line) == (line, 0)


def test_a_private_key_goes_whole_and_lines_stay():
    inside = "MIIEpAIBAAKCAQEA7bq\nabcDEF123+/=\n"
    text = f'a = 1\nKEY = """-----BEGIN RSA PRIVATE KEY-----\n{inside}-----END RSA PRIVATE KEY-----"""\nb = 2\n'
    cleared, count = redacted(text)
    assert "MIIE" not in cleared and "abcDEF" not in cleared
    assert cleared.count("\n") == text.count("\n") and cleared.endswith('"""\nb = 2\n')
    assert count == 4
    unfinished = "-----BEGIN PRIVATE KEY-----\n" + inside
    assert "abcDEF" not in redacted(unfinished)[0]


def test_values_of_the_environment_wherever_they_stand():
    known = known_secrets(
        {
            "OPENAI_API_KEY": "plainwords",
            "MY_TOKEN": "plainwordsandmore",
            "PWD": "/home/someone",
            "HF_TOKEN": "x",
            "KEYS": "abcdefghi",
        }
    )
    assert known == ("plainwordsandmore", "plainwords")
    assert redacted("# plainwords, plainwordsandmore", known) == (f"# {MARKER}, {MARKER}", 1)


@pytest.mark.parametrize(
    "path",
    [
        ".env", ".env.local", "conf/prod.env", "a/server.pem", "x.key", "id_rsa", "id_ed25519.pub", "credentials.json",
        "client_secrets.yaml", "SECRETS.toml", "vault.kdbx", ".netrc", ".npmrc", ".pypirc", "secrets/a.py", "kaggle.json",
    ],
)  # fmt: skip
def test_files_by_name(path):
    assert withheld(path)


@pytest.mark.parametrize(
    "path", ["train.py", "tokenizer.json", "keys.py", "environment.yml", "src/credits.py", "monkey.txt"]
)
def test_other_names(path):
    assert not withheld(path)


def test_nothing_of_it_is_loaded_at_start_up():
    code = "import sys, lesion.agent.reading.digest.secrets; sys.exit('detect_secrets' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


def test_no_line_takes_long_and_none_is_split_at_a_secret():
    key = "sk-" + MIXED
    for stuff in ("_", "1", "a_1.", "x=", "'", "://u:", "A", "-----BEGIN PRIVATE KEY-----", "token: "):
        text, _ = redacted(stuff * (400_000 // len(stuff)))
        assert len(text) < 5000
    text, count = redacted("x" * 3490 + " " + key + " y" * 1000)
    assert "aB3d" not in text
    assert text.endswith("‹line cut›") and count in (0, 1)
