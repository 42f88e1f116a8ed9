"""`lucheng web`: the web app alone, as `lucheng up` starts it, and for several of them behind one address."""

from __future__ import annotations

from typing import Annotated

import typer


def web(
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8000,
) -> None:
    """启动网页应用。"""
    import uvicorn

    from api.logging import log_config

    uvicorn.run("api.app:app", factory=True, host=host, port=port, log_config=log_config(), proxy_headers=False)
