import pytest
from starlette.websockets import WebSocketDisconnect

from emojax.demo import server
from emojax.demo.guard import is_own_host


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:80", "10.0.0.7", "LAB:1"])
def test_this_machine_has_addresses_and_two_names(host):
    assert is_own_host(host, "lab")


@pytest.mark.parametrize("host", ["", "stranger.example", "127.0.0.1.stranger.example", "[", "a b"])
def test_a_name_of_a_stranger_may_point_here(host):
    assert not is_own_host(host, "lab")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "stranger.example"},
        {"origin": "http://stranger.example"},
        {"origin": "http://localhost:1"},
        {"origin": "null"},
    ],
)
def test_another_page_gets_no_answer(client, headers):
    for path in ("/", "/page.json"):
        assert client.get(path, headers=headers).status_code == 403
    assert client.post("/answers", content=b"", headers=headers).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as refusal,
        client.websocket_connect("ws://localhost/stream?rate=16000", headers=headers),
    ):
        pass
    assert refusal.value.code == 1008


def test_the_own_page_is_answered_and_confined(client):
    answer = client.get("/", headers={"origin": "http://localhost"})
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_who_comes_when_all_places_are_taken_is_told(model, monkeypatch):
    monkeypatch.setattr(server, "MOST_AT_ONCE", 1)
    client = server_client(model)
    with client.websocket_connect("ws://localhost/stream?rate=16000"):
        refused = client.post("/answers", content=b"")
        assert (refused.status_code, "busy" in refused.json()["error"]) == (503, True)
        with (
            pytest.raises(WebSocketDisconnect) as refusal,
            client.websocket_connect("ws://localhost/stream?rate=16000"),
        ):
            pass
        assert refusal.value.code == 1013
    assert client.post("/answers", content=b"").status_code == 422


def server_client(model):
    from starlette.testclient import TestClient

    return TestClient(server.make_app(model), base_url="http://localhost")
