"""Prints, as shell exports, the settings that let uv see the package indexes, certificates and proxies pip is set up for.

uv does not read pip's configuration, so `bin/lib.sh` hands it over at run time; nothing is written to a file.
What the caller has set for uv itself wins. Folders that do not exist are left out: pip passes over them, uv stops.
"""

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Later sections win, as in pip: the file's general part, its part for `pip install`, the environment.
SECTIONS = ("global", "install", ":env:")


def pip_options(listing: str) -> dict[str, str]:
    """Options by name from what `pip config list` prints (`section.name='value'`, one a line)."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in found:
            found[section][name] = str(ast.literal_eval(value))
    return {name: value for section in SECTIONS for name, value in found[section].items()}


def is_there(place: str) -> bool:
    """Whether a folder or file address can be read; addresses on the network are taken at their word."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).exists()
    return bool(parts.scheme) or Path(place).expanduser().exists()


def places(value: str) -> list[str]:
    return [place for place in value.split() if is_there(place)]


def uv_settings(options: Mapping[str, str]) -> dict[str, str]:
    """The environment variables for uv that say the same as these options of pip."""
    said = {
        "UV_DEFAULT_INDEX": options.get("index-url", ""),
        "UV_INDEX": " ".join(places(options.get("extra-index-url", ""))),
        "UV_FIND_LINKS": ",".join(places(options.get("find-links", ""))),
        "UV_INSECURE_HOST": " ".join(options.get("trusted-host", "").split()),
        "UV_NO_INDEX": "1" if options.get("no-index", "").lower() in {"1", "true", "yes", "on"} else "",
        "UV_HTTP_TIMEOUT": options.get("timeout", options.get("default-timeout", "")),
        "SSL_CERT_FILE": options.get("cert", ""),
        "SSL_CLIENT_CERT": options.get("client-cert", ""),
        "ALL_PROXY": options.get("proxy", ""),
        # pip looks into all indexes, uv by default only into the first that knows the name. Every hash is locked.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        # Debian's pip and every pip from 24.2 on trust what the system trusts; uv would only know its own list.
        "UV_SYSTEM_CERTS": "true",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    return {name: value for name, value in said.items() if value}


def main() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    for name, value in uv_settings(pip_options(listing)).items():
        if not os.environ.get(name):
            print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
