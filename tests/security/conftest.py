import pytest


@pytest.fixture(scope="session", autouse=True)
def only_where_attacks_are_harmless(harmless):
    """Every test here runs as an ordinary user or in a private mount namespace, or fails and says so."""
