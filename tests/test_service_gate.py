"""Claims about what gets in: names, sizes, and everything hostile."""

from __future__ import annotations

import re
import socket
import struct
import time
import zlib

import httpx
import psutil
import pytest
from matcher_doubles import painted
from service_doubles import (
    BLUE,
    FACE,
    GREEN,
    JPEG,
    PNG,
    colour_service,
    jpeg,
    portrait,
    problem,
    serving,
    template_base64,
)

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    return colour_service(
        tmp_path_factory.mktemp("gate") / "data",
        limits={
            "max_body_bytes": MEGABYTE,
            "max_bulk_bytes": 2 * MEGABYTE,
            "max_pixels": 1_000_000,
            "max_batch_subjects": 100,
            "max_header_bytes": 8192,
            "body_timeout_s": 0.5,
        },
    )


@pytest.fixture(scope="module")
def client(service):
    with serving(service) as client:
        yield client


def png_header(width, height):
    """A PNG file that claims a size and holds nothing."""
    chunks = []
    for kind, content in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 100)),
        (b"IEND", b""),
    ):
        crc = zlib.crc32(kind + content)
        chunks.append(
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)
        )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


HOSTILE_PICTURES = {
    "empty": (b"", PNG, 422, "undecodable_image"),
    "no picture": (b"hello", PNG, 422, "undecodable_image"),
    "truncated jpeg": (
        jpeg(painted(FACE))[:-200],
        JPEG,
        422,
        "undecodable_image",
    ),
    "truncated png": (portrait(BLUE)[:-40], PNG, 422, "undecodable_image"),
    "jpeg head alone": (b"\xff\xd8\xff\xe0", JPEG, 422, "undecodable_image"),
    "png head alone": (b"\x89PNG\r\n\x1a\n", PNG, 422, "undecodable_image"),
    "damaged png": (
        portrait(BLUE)[:60] + b"\0" * 20 + portrait(BLUE)[80:],
        PNG,
        422,
        "undecodable_image",
    ),
    "40,000 x 40,000": (png_header(40_000, 40_000), PNG, 422, "image_too_large"),
    "no pixels": (png_header(0, 10), PNG, 422, "undecodable_image"),
    "png as jpeg": (portrait(BLUE), JPEG, 415, "content_type"),
    "as text": (portrait(BLUE), {"Content-Type": "text/plain"}, 415, "content_type"),
    "untyped": (portrait(BLUE), {}, 415, "content_type"),
    "too large": (b"\xff" * (MEGABYTE + 1), PNG, 413, "body_too_large"),
}


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    HOSTILE_PICTURES.values(),
    ids=HOSTILE_PICTURES,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/identify"),
        ("POST", "/v1/frames?camera_id=cam1"),
        ("PUT", "/v1/watchlists/main/subjects/new"),
    ],
    ids=["identify", "frames", "enrol"],
)
def test_hostile_picture_is_refused_with_its_reason(
    client, method, path, content, headers, status, code
):
    """Wherever a picture is taken, the same refusals hold."""
    answer = client.request(method, path, content=content, headers=headers)
    assert problem(answer) == (status, code)


def test_damaged_video_packet_fails_like_a_damaged_picture(client):
    """A start code, and nothing that a decoder could use."""
    headers = {"Content-Type": "video/h264"}
    path = "/v1/frames?camera_id=video"
    for content in (b"\0\0\0\1\x65garbage", b"no start code"):
        answer = client.post(path, content=content, headers=headers)
        assert problem(answer) == (422, "undecodable_image")


BAD_NAMES = [
    "../../etc/passwd",
    "..%2f..%2fetc",
    ".hidden",
    "a/b",
    "a\0b",
    "ü",
    "x" * 65,
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_identifiers_that_are_paths_or_tricks_are_refused(client, name):
    """A name is letters, digits and a few signs, whether in a path or in a body."""
    quoted = httpx.QueryParams({"camera_id": name})
    answers = [
        client.post(f"/v1/frames?{quoted}", content=portrait(BLUE), headers=PNG),
        client.post("/v1/watchlists", json={"name": name}),
        client.put("/v1/active-watchlist", json={"name": name}),
        client.post(
            "/v1/watchlists/main/subjects",
            json={"subjects": [{"subject_id": name, "template": [1.0]}]},
        ),
        client.post("/v1/watchlists/main/withdrawals", json={"subject_ids": [name]}),
    ]
    assert [problem(answer) for answer in answers] == [(422, "invalid")] * 5


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_paths_lead_nowhere_else(client, name):
    """Neither plain nor quoted does a trick in a path reach anything."""
    for quote in (
        lambda text: text,
        lambda text: "".join(f"%{ord(c):02x}" for c in text),
    ):
        path = f"/v1/watchlists/{quote(name)}"
        with socket.create_connection(
            (client.base_url.host, client.base_url.port)
        ) as raw:
            request = (
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            raw.sendall(request.encode("latin-1"))
            answer = b""
            while piece := raw.recv(65536):
                answer += piece
        assert 400 <= int(answer.split()[1]) < 500


def enrolment(**subject):
    return {"subjects": [{"subject_id": "new", **subject}]}


BAD_BATCHES = {
    "nothing": ({}, 422, "invalid"),
    "nobody": ({"subjects": []}, 422, "invalid"),
    "no way": (enrolment(), 422, "invalid"),
    "two ways": (
        enrolment(template=[1.0], template_f32_base64="AAAAAA=="),
        422,
        "invalid",
    ),
    "unknown key": (enrolment(image="…"), 422, "invalid"),
    "other embedder": (
        {**enrolment(template=[1.0, 0.0, 0.0]), "embedder_sha256": "0" * 64},
        422,
        "other_embedder",
    ),
    "no embedder": (enrolment(template=[1.0, 0.0, 0.0]), 422, "other_embedder"),
    "no base64": (enrolment(images_base64=["%%%"]), 422, "invalid"),
    "no picture": (enrolment(images_base64=["aGVsbG8="]), 422, "undecodable_image"),
    "too many": (
        {"subjects": [{"subject_id": f"s{k}", "template": []} for k in range(101)]},
        422,
        "invalid",
    ),
}


@pytest.mark.parametrize(
    ("body", "status", "code"), BAD_BATCHES.values(), ids=BAD_BATCHES
)
def test_batch_that_says_nothing_clear_is_refused(client, body, status, code):
    """And nobody of it is enrolled."""
    before = client.get("/v1/watchlists/main").json()
    assert problem(client.post("/v1/watchlists/main/subjects", json=body)) == (
        status,
        code,
    )
    assert client.get("/v1/watchlists/main").json() == before


@pytest.mark.parametrize(
    "numbers",
    ["[NaN, 0, 0]", "[Infinity, 0, 0]", "[1e39, 0, 0]", "[0, 0, 0]", "[1, 0]", "[]"],
)
def test_template_that_cannot_be_compared_is_refused(client, service, numbers):
    """NaN, infinity, no length or another one: no score of it could be trusted."""
    body = (
        '{"subjects": [{"subject_id": "new", "template": ' + numbers + "}],"
        f'"embedder_sha256": "{service.stages.embedder_sha256}"}}'
    )
    answer = client.post(
        "/v1/watchlists/main/subjects",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    status, code = problem(answer)
    assert status == 422
    assert code in {"invalid", "bad_template"}


def test_nan_in_bytes_is_refused_too(client, service):
    """Base64 hides it from the JSON parser, not from the check of lengths."""
    body = {
        **enrolment(template_f32_base64="AADAfwAAwH8AAMB/"),
        "embedder_sha256": service.stages.embedder_sha256,
    }
    answer = client.post("/v1/watchlists/main/subjects", json=body)
    assert problem(answer) == (422, "bad_template")


def test_identifier_twice_is_refused_whole(client, service):
    """In one batch, or there already: nobody of the batch is enrolled."""
    twice = {
        "subjects": [
            {"subject_id": name, "template_f32_base64": template_base64(GREEN)}
            for name in ("new", "newer", "new")
        ],
        "embedder_sha256": service.stages.embedder_sha256,
    }
    there = {
        **twice,
        "subjects": [
            {"subject_id": name, "template_f32_base64": template_base64(GREEN)}
            for name in ("new", "blue")
        ],
    }
    for body in (twice, there):
        answer = client.post("/v1/watchlists/main/subjects", json=body)
        assert problem(answer) == (409, "exists")
    assert client.get("/v1/watchlists/main").json()["n_subjects"] == 1


@pytest.mark.parametrize(
    "n_pieces", [60, pytest.param(1000, marks=pytest.mark.slow)], ids=["60 MB", "1 GB"]
)
def test_body_without_end_is_refused_and_kept_nowhere(client, n_pieces):
    """Pieces without end, no length stated: the answer comes, the memory stays."""
    process = psutil.Process()
    sent = 0

    def pieces():
        nonlocal sent
        for _ in range(n_pieces):
            sent += MEGABYTE
            yield b"\xff" * MEGABYTE

    before = process.memory_info().rss
    answer = client.post("/v1/identify", content=pieces(), headers=JPEG)
    grown = process.memory_info().rss - before
    assert problem(answer) == (413, "body_too_large")
    assert sent == n_pieces * MEGABYTE
    # The client is in this process too, so a few pieces on their way count.
    assert grown < 30 * MEGABYTE


def talk(client, *pieces, wait_s=5.0):
    """Send bytes on a bare connection; return all that comes back."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=wait_s) as raw:
        for piece in pieces:
            raw.sendall(piece)
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
        return answer


def test_head_without_end_and_head_that_never_comes_are_given_up(client):
    """Neither may hold a connection for ever, nor fill the memory."""
    endless = [b"GET / HTTP/1.1\r\n", *([b"X-A: " + b"a" * 2000 + b"\r\n"] * 10)]
    assert talk(client, b"".join(endless)).startswith(b"HTTP/1.1 431")
    assert talk(client, b"GET / HTTP/1.1\r\nHost:").startswith(b"HTTP/1.1 408")
    assert talk(client).startswith(b"HTTP/1.1 408")


def test_body_that_does_not_come_is_given_up(client):
    """A place is not held for it."""
    head = (
        b"POST /v1/identify HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: image/png\r\nContent-Length: 1000\r\n\r\n"
    )
    answer = talk(client, head, b"\x89PNG")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"slow_body"' in answer
    assert "lfr_photos_under_way 0.0" in client.get("/metrics").text


def test_connection_goes_on_after_a_refusal(client):
    """A body left unread is not taken for the next request."""
    body = portrait(BLUE)
    head = (
        "POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talk(client, head + body + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"415", b"200"]


def test_unknown_paths_methods_and_json_are_problems_too(client):
    """Whatever refuses, the answer has one form."""
    assert problem(client.get("/v2/nothing")) == (404, "not_found")
    assert problem(client.get("/v1/identify")) == (405, "method_not_allowed")
    headers = {"Content-Type": "application/json"}
    for path in ("/v1/watchlists", "/v1/watchlists/main/withdrawals"):
        answer = client.post(path, content=b"{broken", headers=headers)
        assert problem(answer) == (422, "invalid")


def test_page_in_a_browser_cannot_post_what_is_plain_text_to_it(client):
    """Such posts need nobody's leave, so their content must not be heard."""
    for path in ("/v1/watchlists", "/v1/watchlists/main/withdrawals"):
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            answer = client.post(
                path,
                content=b'{"name": "theirs", "subject_ids": ["blue"]}',
                headers={"Content-Type": kind, "Origin": "https://evil.example"},
            )
            assert problem(answer) == (415, "content_type")
    assert client.get("/v1/watchlists/main").json()["n_subjects"] == 1


def test_page_of_another_name_cannot_use_the_service_of_this_machine(client):
    """Without tokens, only a loopback name is answered (DNS rebinding)."""
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example"):
        answer = client.get("/v1/watchlists", headers={"Host": host})
        assert problem(answer) == (403, "host")
    for host in ("localhost:1", "127.0.0.1", "[::1]:8080"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_slow_answers_do_not_hold_the_door(client):
    """A listener to alerts costs no place in a queue."""
    with client.stream("GET", "/v1/alerts/stream") as stream:
        assert next(stream.iter_lines()) == ": listening"
        began_s = time.monotonic()
        picture = {"content": portrait(BLUE), "headers": PNG}
        assert client.post("/v1/identify", **picture).is_success
        assert time.monotonic() > began_s
