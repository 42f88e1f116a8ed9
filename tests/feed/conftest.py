"""The site of this folder's tests, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.site import Site, empty_site, tiny_site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack") as found:
        yield found


@pytest.fixture
def bare_site(database_url: str) -> Iterator[Site]:
    with empty_site(database_url) as found:
        yield found
