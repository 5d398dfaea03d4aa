"""Claims about who may do what: roles, tokens, and on which address one listens."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from service_doubles import (
    BLUE,
    PNG,
    FakeCalendar,
    colour_service,
    portrait,
    problem,
    serving,
)

from matcher.service.clocks import Clocks
from matcher.service.config import ServiceConfig
from matcher.service.errors import BindError, TokenFileError
from matcher.service.gate.doors import Queue, door_of
from matcher.service.gate.tokens import Role, Token, Tokens, new_token, read_tokens
from matcher.service.routes.app import make_app
from matcher.service.server import listen


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    return colour_service(tmp_path_factory.mktemp("access") / "data")


@pytest.fixture(scope="module")
def client(service):
    with serving(service) as client:
        yield client


# Which route is for whom; a new route has to be put here.
ROLES = {
    ("POST", "/v1/frames"): Role.OPERATOR,
    ("POST", "/v1/identify"): Role.OPERATOR,
    ("DELETE", "/v1/cameras"): Role.OPERATOR,
    ("DELETE", "/v1/cameras/{camera_id}"): Role.OPERATOR,
    ("GET", "/v1/watchlists"): Role.CURATOR,
    ("POST", "/v1/watchlists"): Role.CURATOR,
    ("GET", "/v1/watchlists/{name}"): Role.CURATOR,
    ("DELETE", "/v1/watchlists/{name}"): Role.CURATOR,
    ("GET", "/v1/watchlists/{name}/subjects"): Role.CURATOR,
    ("POST", "/v1/watchlists/{name}/subjects"): Role.CURATOR,
    ("PUT", "/v1/watchlists/{name}/subjects/{subject_id}"): Role.CURATOR,
    ("DELETE", "/v1/watchlists/{name}/subjects/{subject_id}"): Role.CURATOR,
    ("POST", "/v1/watchlists/{name}/withdrawals"): Role.CURATOR,
    ("PUT", "/v1/active-watchlist"): Role.CURATOR,
    ("GET", "/v1/active-watchlist"): None,
    ("GET", "/v1/alerts"): Role.OPERATOR,
    ("GET", "/v1/alerts/stream"): Role.OPERATOR,
    ("GET", "/v1/alerts/{alert_id}"): Role.OPERATOR,
    ("POST", "/v1/alerts/{alert_id}/decision"): Role.OPERATOR,
    ("GET", "/v1/system"): None,
    ("GET", "/v1/clock"): None,
    ("GET", "/metrics"): None,
    ("GET", "/healthz"): "open",
    ("GET", "/readyz"): "open",
}


def test_every_route_has_its_role_and_no_other_is_open(service):
    """The table of doors, held against the routes that there are."""
    found = {}
    for path, methods in make_app(service)._app.openapi()["paths"].items():
        for method in methods:
            door = door_of(method.upper(), re.sub(r"\{\w+\}", "x-1", path))
            found[method.upper(), path] = "open" if door.is_open else door.role
    assert found == ROLES
    assert not door_of("GET", "/openapi.json").is_open
    assert door_of("POST", "/v1/frames").queue is Queue.FRAMES


SOON = datetime(2027, 1, 15, 8, 0, tzinfo=UTC) + timedelta(days=1)


@pytest.fixture
def tokens(tmp_path):
    """A token file with one token of each kind, and one that ends soon."""
    secrets, entries = {}, []
    for name, roles, expires in (
        ("operator", ["operator"], "2030-01-01T00:00:00Z"),
        ("curator", ["curator"], "2030-01-01T00:00:00Z"),
        ("both", ["operator", "curator"], "2030-01-01T00:00:00Z"),
        ("brief", ["operator"], f"{SOON:%Y-%m-%dT%H:%M:%SZ}"),
    ):
        secrets[name], sha256 = new_token()
        entries.append(
            f'[[tokens]]\nname = "{name}"\nroles = {json.dumps(roles)}\n'
            f'sha256 = "{sha256}"\nexpires = {expires}\n'
        )
    path = tmp_path / "tokens.toml"
    path.write_text("\n".join(entries), encoding="utf-8")
    path.chmod(0o600)
    return path, secrets


def test_token_opens_what_its_role_is_for_until_it_expires(tmp_path, tokens):
    """No token 401, wrong role 403, expired 401; the log names who did what."""
    path, secrets = tokens
    calendar = FakeCalendar()
    service = colour_service(
        tmp_path / "data", token_file=str(path), clocks=Clocks(unix_ns=calendar)
    )

    def asked(client, method, path, who, **more):
        headers = {"Authorization": f"Bearer {secrets.get(who, who)}"} if who else {}
        headers |= more.pop("headers", {})
        return client.request(method, path, headers=headers, **more)

    with serving(service, stocked=False) as client:
        create = ("POST", "/v1/watchlists")
        for who, expected in (
            ("", (401, "unauthenticated")),
            ("wrong", (401, "unauthenticated")),
            ("operator", (403, "forbidden")),
        ):
            answer = asked(client, *create, who, json={"name": "main"})
            assert problem(answer) == expected
            assert ("WWW-Authenticate" in answer.headers) == (expected[0] == 401)
        assert asked(client, *create, "curator", json={"name": "main"}).is_success
        enrol = ("PUT", "/v1/watchlists/main/subjects/blue")
        picture = {"content": portrait(BLUE), "headers": PNG}
        assert asked(client, *enrol, "both", **picture).is_success
        swap = ("PUT", "/v1/active-watchlist")
        assert asked(client, *swap, "both", json={"name": "main"}).is_success

        identify = ("POST", "/v1/identify")
        assert problem(asked(client, *identify, "curator", **picture))[0] == 403
        assert asked(client, *identify, "brief", **picture).is_success
        calendar.now_ns = round(SOON.timestamp() * 1e9)
        assert problem(asked(client, *identify, "brief", **picture))[0] == 401
        assert asked(client, *identify, "operator", **picture).is_success

        assert problem(client.get("/metrics"))[0] == 401
        assert asked(client, "GET", "/metrics", "operator").is_success
        assert client.get("/healthz").is_success
        assert client.get("/readyz").is_success

    log = (tmp_path / "data" / "audit.jsonl").read_text("utf-8").splitlines()
    actors = [(e["event"], e["actor"]) for e in map(json.loads, log)]
    assert ("watchlist_created", "curator") in actors
    assert ("enrolled", "both") in actors
    assert ("identified", "brief") in actors


def test_every_entry_is_compared_whichever_fits(monkeypatch):
    """The time that a check takes tells neither who came near nor where they stand."""
    compared = []

    def counted(a, b):
        compared.append(a)
        return a == b

    monkeypatch.setattr("matcher.service.gate.tokens.hmac.compare_digest", counted)
    made = [new_token() for _ in range(3)]
    held = Tokens(
        [
            Token(name=f"t{k}", roles=(Role.OPERATOR,), sha256=sha256, expires=SOON)
            for k, (_, sha256) in enumerate(made)
        ]
    )
    for secret in (made[0][0], made[2][0], "wrong"):
        compared.clear()
        held.find(secret, unix_ns=0)
        assert len(compared) == 3


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.chmod(0o666), "others may"),
        (lambda path: path.write_text("nothing", "utf-8"), "must hold"),
        (lambda path: path.write_text("", "utf-8"), "must hold"),
        (lambda path: path.write_text(path.read_text("utf-8") * 2, "utf-8"), "twice"),
        (
            lambda path: path.write_text(
                path.read_text("utf-8").replace("operator", "admin"), "utf-8"
            ),
            "roles",
        ),
        (
            lambda path: path.write_text(
                re.sub("(?m)^expires.*$", "", path.read_text("utf-8")), "utf-8"
            ),
            "expires",
        ),
        (lambda path: path.unlink(), "readable"),
    ],
    ids=["writable", "no toml", "empty", "twice", "unknown role", "no end", "absent"],
)
def test_token_file_that_says_nothing_clear_is_refused(tokens, spoil, complaint):
    """A service that guesses who may do what is worse than none."""
    path, _ = tokens
    spoil(path)
    with pytest.raises(TokenFileError, match=complaint):
        read_tokens(path)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.1", "example.org"],  # noqa: S104 - it is refused
)
def test_service_without_tokens_listens_on_loopback_alone(host):
    """Wider, it would let anybody match faces."""
    with pytest.raises(BindError, match="must listen on loopback"):
        listen(ServiceConfig(host=host, port=0))


def test_port_in_use_is_named(client):
    """The remedy is another one."""
    port = client.base_url.port
    with pytest.raises(BindError, match=f"port {port}.*--port"):
        listen(ServiceConfig(port=port))


def test_measuring_is_for_loopback_unless_it_is_asked_for():
    """Nobody's nearest candidate is told over a network by accident."""
    assert ServiceConfig().is_measuring
    assert not ServiceConfig(host="192.0.2.1").is_measuring
    assert ServiceConfig(host="192.0.2.1", measuring=True).is_measuring
