"""`lucheng web`: the web app alone, as `lucheng up` starts it, and for several of them behind one address."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.database import connect
from ledger.migrations import is_current
from ledger.settings import Settings
from lucheng.first_account import first_token, first_words, link_of
from lucheng.opening import utc_now
from lucheng.supervisor import web_address
from policy_models.errors import ChangedMeanwhile, LedgerUnavailable


def web(
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8000,
    supervised: Annotated[
        bool, typer.Option("--supervised", hidden=True, help="由 lucheng up 启动：输出进日志，不写链接")
    ] = False,
) -> None:
    """启动网页应用。"""
    import uvicorn

    from api.logging import log_config

    settings = Settings.load()
    if not supervised and (told := _first_link(settings, host, port)):
        typer.echo(told)
    # the word of a proxy is taken for the browser's address only where it is named: else anybody could write it down
    proxies = settings.trusted_proxies.replace(" ", "")
    uvicorn.run(
        "api.app:app",
        factory=True,
        host=host,
        port=port,
        log_config=log_config(),
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
    )


def _first_link(settings: Settings, host: str, port: int) -> str | None:
    """The way in for the first administrator, where nobody can sign in yet and no link is open: of several processes one
    says it. Below `lucheng up`, which has said it, nothing is said: what it prints goes to a log. Where the ledger cannot be asked, the pages say
    so themselves."""
    database = connect(settings.url)
    try:
        if settings.database_url is None and not (settings.data_dir / "ledger.db").is_file():
            return None
        if not is_current(database):
            return None
        with database.write() as session:
            token = first_token(session, utc_now(settings), anew=False)
    except (LedgerUnavailable, ChangedMeanwhile):
        return None
    finally:
        database.close()
    return first_words(link_of(settings, token, web_address(host, port))) if token else None
