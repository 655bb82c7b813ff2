"""A tiny project that was looked at once, and copies of it."""

import pytest

from .chat.program import copied, held_project


@pytest.fixture(scope="session")
def surveyed(tmp_path_factory):
    """Its trials wait while there is a file `hold` beside the experiment."""
    return held_project(tmp_path_factory.mktemp("surveyed") / "tiny")


@pytest.fixture
def made(surveyed, tmp_path):
    return copied(surveyed, tmp_path / "tiny")
