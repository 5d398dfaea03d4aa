"""Claims about the contract for programs: it is whole, and nothing it allows breaks us.

Source:
    Hatfield-Dodds and Dygalo, Deriving semantics-aware fuzzers from web API schemas,
    ICSE 2022 (schemathesis).
"""

from __future__ import annotations

import pytest
from service_doubles import colour_service, serving

from bench.suites.service_schema import attack, open_schema


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    service = colour_service(
        tmp_path_factory.mktemp("schema") / "data",
        limits={"body_timeout_s": 5.0},
    )
    with serving(service) as client:
        yield client


def test_contract_names_every_body_and_gives_examples(client):
    """A program can be written from the document alone."""
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert set(operation["responses"]) & {"200", "201", "204"}, where
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schema = content["schema"]
                name = schema.get("$ref", "").rpartition("/")[2]
                known = document["components"]["schemas"]
                assert schema.get("format") == "binary" or known[name], where
                assert (
                    content.get("example")
                    or known.get(name, {}).get("examples")
                    or (schema.get("format") == "binary")
                ), where


def test_no_request_that_the_contract_allows_or_forbids_ends_in_a_5xx(client):
    """A few hundred made-up requests, valid and not; `make service` makes 5,000."""
    found = attack(
        open_schema(str(client.base_url)),
        n_requests=300,
        seed=1,
        known={"name": "main"},
    )
    assert found.n_requests >= 300
    assert found.n_operations == 24
    assert found.failures == ()
