"""统一身份认证: the city's own single sign-on by OpenID Connect: code flow with PKCE, the token's signature checked against
the provider's published keys. Every call here goes over the network and belongs outside of any transaction.
"""

from __future__ import annotations

import logging
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from ledger.settings import Settings
from ledger.sign_on import Visit

log = logging.getLogger("api")
SECONDS = 8.0  # for one answer of the provider
FRESH = 600.0  # seconds that what it says of itself is believed
LEEWAY = 60  # seconds between its clock and ours
LONGEST_SUBJECT = 200
SCOPE = "openid profile email"
# Signatures by a published key; never "none", never one that is made with our own secret
ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "ES384", "RS512", "ES512", "PS384", "PS512", "Ed25519", "EdDSA")
DOWN = "统一身份认证暂时无法使用，请稍后再试，或用账号名和密码登录"
REFUSED = "统一身份认证没有通过，请重试"
UNTRUSTED = "统一身份认证的答复未能通过校验，没有登录；如反复出现，请告知系统管理员"


class SignOnFailed(Exception):
    """The provider is away, said no, or said what cannot be believed; ``str(error)`` is one sentence to show."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who came: ``subject`` never changes ("issuer subject"); ``names``: those that the provider vouches for."""

    subject: str
    names: tuple[str, ...]


class SignOn:
    """The provider of the settings. What it says of itself is kept for ten minutes."""

    def __init__(self, issuer: str, client_id: str, secret: str, back: str) -> None:
        self._issuer, self._client_id, self._secret, self._back = issuer, client_id, secret, back
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = Lock()
        self._tls = ssl.create_default_context()

    @classmethod
    def of(cls, settings: Settings) -> SignOn | None:
        """None where the city has none."""
        issuer, client_id, secret = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret
        if not issuer or not client_id or secret is None:
            return None
        return cls(issuer, client_id, secret.get_secret_value(), f"{settings.base_url.rstrip('/')}/oidc/callback")

    def address(self, state: str, visit: Visit) -> str:
        """Where the browser goes. Raises SignOnFailed."""
        more = {"nonce": visit.nonce, "code_challenge": create_s256_code_challenge(visit.verifier)}
        made = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            client_id=self._client_id,
            response_type="code",
            redirect_uri=self._back,
            scope=SCOPE,
            state=state,
            code_challenge_method="S256",
            **more,
        )
        return str(made)

    def identify(self, code: str, visit: Visit, now: datetime) -> Identity:
        """Who came back with this code. Raises SignOnFailed."""
        answer = self._exchange(code, visit)
        claims = self._claims(str(answer.get("id_token", "")), visit.nonce, now)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise _untrusted("no usable subject")
        if not _names(claims) and "userinfo_endpoint" in self._discovery():
            claims = {**claims, **self._userinfo(str(answer.get("access_token", "")), subject)}
        return Identity(f"{self._issuer} {subject}"[:300], _names(claims))

    def _exchange(self, code: str, visit: Visit) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._back}
        form["code_verifier"] = visit.verifier
        headers = {"Accept": "application/json"}
        methods = self._discovery().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._secret, safe='')}"  # RFC 6749 §2.3.1
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        return self._ask("POST", self._endpoint("token_endpoint"), data=form, headers=headers)

    def _claims(self, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._discovery()["issuer"]},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = self._decoded(token)
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            raise _untrusted(type(error).__name__) from error
        if claims.get("azp", self._client_id) != self._client_id:
            raise _untrusted("meant for another client")
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        """The claims of a rightly signed token. A key that we do not know may be newer than what we kept."""
        try:
            return dict(jwt.decode(token, self._keys(), algorithms=list(ALGORITHMS)).claims)
        except InvalidKeyIdError:
            return dict(jwt.decode(token, self._keys(anew=True), algorithms=list(ALGORITHMS)).claims)

    def _keys(self, *, anew: bool = False) -> KeySet:
        found = self._published(self._endpoint("jwks_uri"), anew=anew)
        if not isinstance(found.get("keys"), list) or not found["keys"]:
            raise _untrusted("no published keys")
        return KeySet.import_key_set({"keys": found["keys"]})

    def _userinfo(self, token: str, subject: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        found = self._ask("GET", self._endpoint("userinfo_endpoint"), headers=headers)
        if found.get("sub") != subject:
            raise _untrusted("another's particulars")
        return found

    def _discovery(self) -> dict[str, Any]:
        """What the provider says of itself, under the very name that we were told."""
        found = self._published(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._issuer.rstrip("/"):
            raise _untrusted("another issuer")
        return found

    def _endpoint(self, name: str) -> str:
        address = str(self._discovery().get(name, ""))
        if not self._trusted(address):
            raise _untrusted(f"no usable {name}")
        return address

    def _trusted(self, address: str) -> bool:
        scheme = urlsplit(address).scheme
        return scheme == "https" or (scheme == "http" and self._issuer.startswith("http://"))

    def _published(self, address: str, *, anew: bool = False) -> dict[str, Any]:
        with self._lock:
            at, found = self._kept.get(address, (0.0, {}))
        if found and not anew and time.monotonic() - at < FRESH:
            return found
        found = self._ask("GET", address)
        with self._lock:
            self._kept[address] = (time.monotonic(), found)
        return found

    def _ask(self, method: str, address: str, **given: Any) -> dict[str, Any]:
        """One answer as a JSON object. No redirect is followed, no proxy of the environment taken."""
        try:
            with httpx.Client(verify=self._tls, timeout=SECONDS, trust_env=False) as client:
                answer = client.request(method, address, **given)
                found = answer.json() if answer.content else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("single sign-on: %s at %s", type(error).__name__, urlsplit(address).path)
            raise SignOnFailed(DOWN) from None  # its words may hold a code
        if answer.status_code >= 500 or not isinstance(found, dict):
            log.warning("single sign-on: status %d at %s", answer.status_code, urlsplit(address).path)
            raise SignOnFailed(DOWN)
        if answer.status_code != 200:
            log.warning("single sign-on: refused (%s)", str(found.get("error", answer.status_code))[:60])
            raise SignOnFailed(REFUSED)
        return found


def _names(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that the provider vouches for: of an e-mail address only one that it has verified."""
    found = [claims.get("preferred_username")]
    if claims.get("email_verified") is True:
        found.append(claims.get("email"))
    return tuple(one for one in found if isinstance(one, str) and 0 < len(one) <= 60 and one.isprintable())


def _untrusted(why: str) -> SignOnFailed:
    log.warning("single sign-on: not believed (%s)", why)
    return SignOnFailed(UNTRUSTED)
