"""Claims about pictures and watchlists over HTTP, and too much of them."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from matcher_doubles import painted
from service_doubles import (
    BLUE,
    GREEN,
    PNG,
    RED,
    Turnstile,
    colour_service,
    identify,
    metric,
    png,
    portrait,
    serving,
    stock,
    template,
    template_base64,
)

from matcher.service.gate.admission import Admission
from matcher.service.refusals import RefusedError

NOBODY = png(painted(None))


@pytest.fixture(scope="module")
def turnstile():
    return Turnstile()


@pytest.fixture(scope="module")
def service(tmp_path_factory, turnstile):
    return colour_service(
        tmp_path_factory.mktemp("matching") / "data",
        embedder=turnstile,
        # Nobody is sent away for the time that the turnstile took.
        photos={"max_waiting": 10, "batch_wait_s": 0.0, "max_wait_s": 60.0},
    )


@pytest.fixture(scope="module")
def client(service):
    with serving(service) as client:
        yield client


@pytest.fixture
def listed(client):
    """A watchlist of its own for the test, active until it ends."""
    stock(client, "trial")
    yield "trial"
    client.put("/v1/active-watchlist", json={"name": "main"}).raise_for_status()
    client.delete("/v1/watchlists/trial").raise_for_status()


def test_somebody_sought_is_found_and_a_stranger_is_not(client):
    """Candidates come with their rank and on which side of the threshold they are."""
    found = identify(client, portrait(BLUE)).json()
    assert found["above_threshold"]
    assert [c["subject_id"] for c in found["candidates"]] == ["blue"]
    assert found["candidates"][0]["comparison_score"] > found["threshold"] == 0.9
    assert (found["watchlist"], found["n_faces"]) == ("main", 1)

    stranger = identify(client, portrait(RED)).json()
    assert not stranger["above_threshold"]
    assert not stranger["candidates"][0]["above_threshold"]


def test_as_many_candidates_come_as_are_asked_for_and_there_are(client, listed):
    """Best first; a short watchlist has no more."""
    for channel, name in ((GREEN, "green"), (RED, "red")):
        client.put(
            f"/v1/watchlists/{listed}/subjects/{name}",
            content=portrait(channel),
            headers=PNG,
        ).raise_for_status()
    for k, expected in ((1, 1), (2, 2), (50, 3)):
        candidates = identify(client, portrait(GREEN), k=k).json()["candidates"]
        scores = [c["comparison_score"] for c in candidates]
        assert len(candidates) == expected
        assert scores == sorted(scores, reverse=True)
        assert [c["rank"] for c in candidates] == list(range(1, expected + 1))
        assert candidates[0]["subject_id"] == "green"


def test_picture_of_nobody_is_told_so(client):
    """No face is no internal error."""
    answer = identify(client, NOBODY)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_face")


def test_requests_that_wait_together_are_done_together(client, turnstile):
    """One holds the lane; those that came meanwhile make one batch of eight."""
    alone = identify(client, portrait(BLUE)).json()
    with ThreadPoolExecutor(9) as pool, turnstile.closed():
        first = pool.submit(identify, client, portrait(BLUE))
        assert turnstile.is_reached.wait(10)
        rest = [
            pool.submit(identify, client, portrait(channel))
            for channel in (BLUE, RED) * 4
        ]
        while metric(client, "lfr_photos_under_way") < 9:
            pass
        turnstile.may_pass.set()
        answers = [future.result().json() for future in (first, *rest)]

    assert turnstile.batches == [1, 8]
    assert answers[0] == answers[1] == alone
    assert [a["above_threshold"] for a in answers[1:]] == [True, False] * 4


def test_more_than_fit_are_refused_with_the_time_to_try_again(client, turnstile):
    """Ten are under way, the eleventh is told to come back; afterwards all is well."""
    with ThreadPoolExecutor(10) as pool, turnstile.closed():
        under_way = [pool.submit(identify, client, portrait(BLUE)) for _ in range(10)]
        while metric(client, "lfr_photos_under_way") < 10:
            pass
        before = metric(client, 'lfr_refusals_total{code="full"}')
        refused = [identify(client, portrait(BLUE)) for _ in range(3)]
        turnstile.may_pass.set()
        taken = [future.result().status_code for future in under_way]

    assert [r.status_code for r in refused] == [503] * 3
    assert refused[0].json()["code"] == "full"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert metric(client, 'lfr_refusals_total{code="full"}') == before + 3
    assert taken == [200] * 10
    assert identify(client, portrait(BLUE)).is_success


def test_one_more_is_let_in_only_if_its_turn_would_come_in_time():
    """With 0.5 s of work each, three under way are a wait of 1.5 s, too long for 1."""
    admission = Admission("a picture", max_under_way=100, max_wait_s=1.0)
    for _ in range(200):
        admission.took(0.5)
    with admission.one(), admission.one():
        assert admission.expected_wait_s == pytest.approx(1.0, rel=1e-3)
        with admission.one(), pytest.raises(RefusedError) as refused:
            admission.one().__enter__()
    assert refused.value.headers["Retry-After"] == "2"
    assert admission.n_under_way == 0


def test_batch_of_pictures_enrols_those_with_a_face_and_lists_the_others(
    client, listed
):
    """One change; several pictures of a subject make one template."""
    batch = {
        "green": [portrait(GREEN), png(painted((30, 20, 90, 80), channel=GREEN))],
        "nobody": [NOBODY],
        "red": [NOBODY, portrait(RED)],
    }
    before = client.get(f"/v1/watchlists/{listed}").json()
    answer = client.post(
        f"/v1/watchlists/{listed}/subjects",
        json={
            "subjects": [
                {
                    "subject_id": name,
                    "images_base64": [
                        base64.b64encode(file).decode() for file in files
                    ],
                }
                for name, files in batch.items()
            ]
        },
    )
    assert answer.status_code == 201
    enrolled = answer.json()
    assert (enrolled["n_enrolled"], enrolled["n_subjects"]) == (2, 3)
    assert [f["subject_id"] for f in enrolled["failures"]] == ["nobody"]
    assert enrolled["version"] == before["version"] + 1
    for channel, name in ((GREEN, "green"), (RED, "red")):
        found = identify(client, portrait(channel)).json()
        assert found["candidates"][0]["subject_id"] == name
        assert found["above_threshold"]
    ids = client.get(f"/v1/watchlists/{listed}/subjects").json()["subject_ids"]
    assert ids == ["blue", "green", "red"]


@pytest.mark.parametrize("form", ["numbers", "bytes"])
def test_templates_are_enrolled_bit_for_bit(client, service, listed, form):
    """As they came, to the last bit: so a run's gallery is the run's gallery."""
    way = (
        {"template": template(GREEN).tolist()}
        if form == "numbers"
        else {"template_f32_base64": template_base64(GREEN)}
    )
    client.post(
        f"/v1/watchlists/{listed}/subjects",
        json={
            "subjects": [{"subject_id": "green", **way}],
            "embedder_sha256": client.get("/v1/system").json()["embedder_sha256"],
        },
    ).raise_for_status()
    held = service.watchlists.gallery(listed).templates[1]
    assert held.tobytes() == template(GREEN).tobytes()


def test_withdrawn_subject_is_found_no_more_and_the_last_one_stays(client, listed):
    """All or nobody; an empty watchlist cannot be searched."""
    client.put(
        f"/v1/watchlists/{listed}/subjects/red", content=portrait(RED), headers=PNG
    ).raise_for_status()
    assert identify(client, portrait(RED)).json()["above_threshold"]

    path = f"/v1/watchlists/{listed}/withdrawals"
    unknown = client.post(path, json={"subject_ids": ["red", "nobody"]})
    assert unknown.status_code == 404
    assert identify(client, portrait(RED)).json()["above_threshold"]

    gone = client.delete(f"/v1/watchlists/{listed}/subjects/red").json()
    assert (gone["n_withdrawn"], gone["n_subjects"]) == (1, 1)
    assert not identify(client, portrait(RED)).json()["above_threshold"]
    last = client.delete(f"/v1/watchlists/{listed}/subjects/blue")
    assert (last.status_code, last.json()["code"]) == (409, "empty")
    assert identify(client, portrait(BLUE)).json()["above_threshold"]


def test_pages_of_subjects_join_up(client, listed):
    """Each subject once, in order of enrolment."""
    names = [f"s{k}" for k in range(7)]
    client.post(
        f"/v1/watchlists/{listed}/subjects",
        json={
            "subjects": [
                {"subject_id": n, "template_f32_base64": template_base64(RED)}
                for n in names
            ],
            "embedder_sha256": client.get("/v1/system").json()["embedder_sha256"],
        },
    ).raise_for_status()
    seen, after = [], None
    while True:
        query = {"limit": 3} | ({"after": after} if after else {})
        page = client.get(f"/v1/watchlists/{listed}/subjects", params=query).json()
        seen += page["subject_ids"]
        after = page["next_after"]
        if after is None:
            break
    assert seen == ["blue", *names]


def test_watchlists_are_made_listed_and_deleted(client):
    """Not twice under one name, and not the one that is searched."""
    made = client.post("/v1/watchlists", json={"name": "second"})
    assert made.status_code == 201
    assert made.json() == {
        "name": "second",
        "version": 1,
        "n_subjects": 0,
        "is_active": False,
    }
    again = client.post("/v1/watchlists", json={"name": "second"})
    assert (again.status_code, again.json()["code"]) == (409, "exists")
    names = [w["name"] for w in client.get("/v1/watchlists").json()["watchlists"]]
    assert names == ["main", "second"]
    empty = client.put("/v1/active-watchlist", json={"name": "second"})
    assert (empty.status_code, empty.json()["code"]) == (409, "empty")
    active = client.delete("/v1/watchlists/main")
    assert (active.status_code, active.json()["code"]) == (409, "active")
    assert client.delete("/v1/watchlists/second").status_code == 204
    assert client.get("/v1/watchlists/second").status_code == 404


def test_swap_can_bring_a_threshold_of_its_own(client, listed):
    """Given, it holds for that watchlist alone."""
    swap = {"name": listed, "threshold": 0.25}
    assert client.put("/v1/active-watchlist", json=swap).json()["threshold"] == 0.25
    assert identify(client, portrait(RED)).json()["threshold"] == 0.25
    back = client.put("/v1/active-watchlist", json={"name": "main"}).json()
    assert (back["threshold"], back["previous"]) == (0.9, listed)
