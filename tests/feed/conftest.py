"""The feed is tested on the same sites as the pages."""

from tests.api.conftest import bare_site, site

__all__ = ["bare_site", "site"]
