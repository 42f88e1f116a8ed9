"""A real OpenID Connect provider on a free port, and before it a gate: it holds the client to PKCE, as a city's provider
does, and can put another answer in the place of a true one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the provider still signs with a module that its library has replaced
    import oidc_provider_mock

BACK = "http://testserver/oidc/callback"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Provider:
    """``change``: what becomes of an answer, by path; ``asked``: the paths in order."""

    port: int = 0
    client_id: str = ""
    secret: str = ""
    change: Callable[[str, Answer], Answer | bytes] = lambda _path, answer: answer
    asked: list[str] = field(default_factory=list)
    challenges: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **more: object) -> dict[str, object]:
        found = {"oidc_issuer": self.issuer, "oidc_client_id": self.client_id, "oidc_client_secret": self.secret}
        return {**found, **more}

    def knows(self, subject: str, **claims: object) -> None:
        """Somebody who can sign in there."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims, trust_env=False).raise_for_status()

    def agree(self, address: str, subject: str) -> str:
        """Sign in there as a subject: the address that the browser is sent back to."""
        return self._answer(address, {"sub": subject})

    def deny(self, address: str) -> str:
        return self._answer(address, {"action": "deny"})

    def _answer(self, address: str, form: dict[str, str]) -> str:
        done = httpx.post(address, data=form, trust_env=False)
        assert done.status_code in (302, 303), done.text
        return done.headers["location"]

    def changing(self, wanted: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Let the answers at one path be changed."""
        self.change = lambda path, answer: (answer[0], change(answer[1])) if path == wanted else answer

    def resigned(
        self, change: Callable[[dict[str, Any]], None], key: Any, *, published: Any, header: Any = None
    ) -> None:
        """Let every token have other claims, signed by ``key``, while ``published`` is what the provider shows."""

        def swap(path: str, answer: Answer) -> Answer:
            status, body = answer
            if path == "/jwks":
                return status, {"keys": [published.as_dict(private=False)]}
            if path == "/oauth2/token" and status == 200:
                claims = json.loads(_unpadded(body["id_token"].split(".")[1]))
                change(claims)
                if isinstance(key, bytes):
                    token = forged(header, claims, key)
                else:
                    token = jwt.encode(header or {"alg": "RS256", "kid": published.kid}, claims, key)
                return status, {**body, "id_token": token}
            return answer

        self.change = swap


def _unpadded(words: str) -> bytes:
    return base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))


def rsa(kid: str = "k1") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


def forged(header: dict[str, str], claims: dict[str, Any], secret: bytes) -> str:
    """A token as a forger makes it by hand: signed with a shared secret, or not at all."""
    head, said = (_padless(json.dumps(part).encode()) for part in (header, claims))
    made = hmac.digest(secret, f"{head}.{said}".encode(), "sha256") if header["alg"] == "HS256" else b""
    return f"{head}.{said}.{_padless(made)}"


def _padless(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class _Gate:
    """A WSGI application before the provider's."""

    def __init__(self, provider: Provider, inner: Any) -> None:
        self._provider, self._inner = provider, inner

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        path, body = environ["PATH_INFO"], b""
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
        self._provider.asked.append(path)
        if path == "/oauth2/token" and not self._verified(parse_qs(body.decode())):
            return _send(start, 400, json.dumps({"error": "invalid_grant"}).encode())
        status, headers, content = self._ask(environ)
        if path == "/oauth2/authorize" and status in (302, 303):
            self._note_challenge(environ, dict(headers)["Location"])
        if not dict(headers).get("Content-Type", "").startswith("application/json"):
            start(f"{status} -", headers)
            return [content]
        changed = self._provider.change(path, (status, json.loads(content)))
        if isinstance(changed, bytes):
            return _send(start, 200, changed)
        return _send(start, changed[0], json.dumps(changed[1]).encode())

    def _ask(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        told: list[Any] = []
        content = b"".join(self._inner(environ, lambda status, headers, *_: told.extend((status, headers))))
        return int(told[0].split()[0]), told[1], content

    def _note_challenge(self, environ: dict[str, Any], back: str) -> None:
        asked, given = parse_qs(environ["QUERY_STRING"]), parse_qs(urlsplit(back).query)
        if "code" in given:
            assert asked["code_challenge_method"] == ["S256"]
            self._provider.challenges[given["code"][0]] = asked["code_challenge"][0]

    def _verified(self, form: dict[str, list[str]]) -> bool:
        made = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
        wanted = self._provider.challenges.get(form.get("code", [""])[0])
        return _padless(made) == wanted


def _send(start: Any, status: int, content: bytes) -> list[bytes]:
    start(f"{status} -", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    inner = oidc_provider_mock.app(require_client_registration=True, require_nonce=True)
    server = make_server("127.0.0.1", 0, _Gate(provider, inner), threaded=True)
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        made = httpx.post(f"{provider.issuer}/oauth2/clients", json={"redirect_uris": [BACK]}, trust_env=False)
        made.raise_for_status()
        provider.client_id, provider.secret = made.json()["client_id"], made.json()["client_secret"]
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
