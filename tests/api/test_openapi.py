"""The description of /api/v1: complete, in Chinese, with examples that hold; for signed-in accounts, without the net."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from api.openapi import operations
from api.rights import API, ROWS
from tests.api.site import Site

pytestmark = pytest.mark.thorough
HAN = re.compile("[\u4e00-\u9fff]")
DRAFT = "https://json-schema.org/draft/2020-12/schema"
DAY = "2025-05-31"


def description(site: Site) -> dict[str, Any]:
    answer = site.at(DAY).get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_it_names_every_route_there_is(site: Site) -> None:
    named = {(method.upper(), path) for path, method, _ in operations(description(site))}
    served = {(method, path) for method, path, *_ in ROWS if path.startswith(f"{API}/")}
    assert named == served - {("GET", "/api/v1/openapi.json")}


def test_it_says_everything_in_chinese(site: Site) -> None:
    document = description(site)
    dumb = [
        f"{method} {path}"
        for path, method, one in operations(document)
        if not (HAN.search(one["summary"]) and HAN.search(one.get("description", "")))
    ]
    dumb += [
        f"{method} {path} {one['name']}"
        for path, method, operation in operations(document)
        for one in operation.get("parameters", ())
        if not HAN.search(one.get("description", ""))
    ]
    for name, schema in document["components"]["schemas"].items():
        fields = schema.get("properties", {})
        dumb += [name] if not HAN.search(schema["title"]) else []
        if name not in ("Circular", "AreaLine", "TaskLight", "ComingLine", "Chased", "RoundLine", "Said"):
            dumb += [f"{name}.{key}" for key, one in fields.items() if not HAN.search(one.get("description", ""))]
    assert dumb == []


def test_every_example_holds(site: Site) -> None:
    document = description(site)
    shared = Resource.from_contents(_named({"$schema": DRAFT, "components": document["components"]}))
    registry = Registry().with_resource("urn:d", shared)
    wrong, held = [], 0
    for path, method, operation in operations(document):
        contents = [one for answer in operation["responses"].values() for one in answer.get("content", {}).values()]
        contents += [one for kind, one in operation.get("requestBody", {}).get("content", {}).items() if "json" in kind]
        for one in contents:
            errors = Draft202012Validator(_named(one["schema"]), registry=registry).iter_errors(one["example"])
            wrong += [f"{method} {path}: {error.message[:80]}" for error in errors]
            held += 1
    assert wrong == []
    assert held > 500


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: f"urn:d{v}" if k == "$ref" else _named(v) for k, v in value.items()}
    return [_named(one) for one in value] if isinstance(value, list) else value


def test_every_answer_that_may_come_is_named(site: Site) -> None:
    for path, method, operation in operations(description(site)):
        wanted = {"200", "400", "401", "403", "404", "405", "422", "429", "503"}
        wanted |= {"304"} if method == "get" else {"409", "413", "415"}
        assert wanted <= set(operation["responses"]), (method, path)


def test_the_page_is_the_description_and_needs_no_script(site: Site) -> None:
    browser = site.at(DAY)
    page = browser.get("/api/docs").text
    for _, method, one in operations(description(site)):
        assert f'id="{one["operationId"]}"' in page
        assert method.upper() in page
    assert "<script>" not in page
    assert "https://" not in page.replace("https://lucheng.example.gov.cn", "").replace("https://calendar", "")
    assert browser.get("/docs").status_code == browser.get("/redoc").status_code == 404


def test_for_signed_in_accounts_alone(site: Site) -> None:
    stranger = site.stranger(DAY)
    assert stranger.get("/api/v1/openapi.json").status_code == 401
    answer = stranger.get("/api/docs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fapi%2Fdocs")
