"""What pip is told about indexes reaches uv (bin/uv_settings.py)."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "uv_settings.py"
spec = importlib.util.spec_from_file_location("uv_settings", SCRIPT)
assert spec is not None
assert spec.loader is not None
settings = importlib.util.module_from_spec(spec)
spec.loader.exec_module(settings)

ALWAYS = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_SYSTEM_CERTS": "true", "UV_PYTHON_DOWNLOADS": "never"}


def test_nothing_configured_sets_nothing_but_the_constants() -> None:
    assert settings.uv_settings(settings.pip_options("")) == ALWAYS


def test_every_option_has_its_variable() -> None:
    listing = "\n".join(
        [
            "global.index-url='https://index.example/simple'",
            r"global.extra-index-url='\nhttps://more.example/simple\nhttps://third.example/simple'",
            "global.find-links='https://wheels.example/'",
            "global.trusted-host='index.example more.example:8443'",
            "global.no-index='true'",
            "global.timeout='180'",
            "global.cert='ca.pem'",
            "global.client-cert='me.pem'",
            "global.proxy='http://proxy.example:3128'",
        ]
    )
    assert settings.uv_settings(settings.pip_options(listing)) == ALWAYS | {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "UV_INDEX": "https://more.example/simple https://third.example/simple",
        "UV_FIND_LINKS": "https://wheels.example/",
        "UV_INSECURE_HOST": "index.example more.example:8443",
        "UV_NO_INDEX": "1",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "ca.pem",
        "SSL_CLIENT_CERT": "me.pem",
        "ALL_PROXY": "http://proxy.example:3128",
    }


def test_the_environment_wins_over_install_and_install_over_global() -> None:
    listing = (
        ":env:.index-url='c'\nglobal.index-url='a'\ninstall.index-url='b'\ninstall.no-index='false'\nlist.index-url='d'"
    )
    assert settings.pip_options(listing) == {"index-url": "c", "no-index": "false"}
    assert settings.uv_settings({"index-url": "c", "no-index": "false"}) == ALWAYS | {"UV_DEFAULT_INDEX": "c"}


def test_folders_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    wheels = tmp_path / "车轮 wheels"
    wheels.mkdir()
    here = wheels.as_uri()
    gone = (tmp_path / "gone").as_uri()
    options = {"extra-index-url": f"{gone} {here}", "find-links": f"{tmp_path / 'gone'} {tmp_path} {here}"}
    assert settings.uv_settings(options) == ALWAYS | {"UV_INDEX": here, "UV_FIND_LINKS": f"{tmp_path},{here}"}
