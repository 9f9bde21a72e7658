"""The API as a client sees it: whole ways from upload to download, and every refusal in the command line's words."""

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from evp.media import read_frames, read_speech
from evp.pipeline import animate_file
from evp.portrait.bundle import Portrait
from evp.still import still
from evp.studio.processes import TaskError
from studio_stand_ins import StandIn, eventually
from tiny import numbered, tone, write_media

JSON = {"Content-Type": "application/json"}

Say = Callable[[TestClient], dict[str, Any]]


def ended(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        known = client.get(f"/api/jobs/{job['id']}").json()
        return known if known["finished"] else None

    return eventually(over, 120)


def refused(response, status: int, sentence: str) -> bool:
    told = response.json()
    assert response.headers["content-type"] == "application/problem+json", response.text
    assert (response.status_code, told["status"]) == (status, status), told
    assert sentence in told["detail"], told
    assert "\n" not in told["detail"]
    return True


def film(client: TestClient, speech: str, emotion: str = "neutral", **more: Any):
    asked = {"kind": "film", "portrait": "drawn", "speech": speech, "emotion": emotion, **more}
    return client.post("/api/jobs", json=asked)


def picture_of(response) -> np.ndarray:
    assert response.status_code == 200, response.text
    read = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB)


# Films


def test_a_film_is_that_of_the_command_line(
    working: TestClient, say: Say, speech_file: Path, drawn_bundle: Path, tmp_path: Path
):
    speech = say(working)
    emotion = "0 neutral, 0.5 happy:0.8, 1.5 angry"
    response = film(working, speech["id"], emotion)
    assert response.status_code == 202
    job = ended(working, response.json())
    assert (job["state"], job["error"], job["kind"]) == ("done", None, "film")
    assert (job["stage"], job["done"], job["total"], job["position"]) == ("rendering", 40, 40, None)
    assert job["settings"] == {
        "portrait": "drawn", "portrait_name": "drawn", "speech": speech["id"], "speech_name": "hello there.wav",
        "seconds": 1.6, "emotion": emotion,
    }  # fmt: skip
    assert job["created"] <= job["started"] <= job["finished"]
    result = job["result"]
    assert (result["width"], result["height"], result["seconds"]) == (144, 128, pytest.approx(1.6, abs=0.05))
    made = working.get(result["film"])
    assert made.headers["content-type"] == "video/mp4"
    animate_file(speech_file, drawn_bundle, tmp_path / "film.mp4", emotion=emotion)
    expected = list(read_frames(tmp_path / "film.mp4"))
    frames = list(read_frames(io.BytesIO(made.content)))
    assert len(frames) == len(expected) == 40
    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_allclose(frame, other, atol=2)
    with av.open(io.BytesIO(made.content)) as container:
        assert "generated" in container.metadata["comment"]


def test_a_film_is_sent_in_ranges_and_as_a_download(working: TestClient, say: Say):
    job = ended(working, film(working, say(working)["id"]).json())
    whole = working.get(job["result"]["film"])
    assert whole.headers["accept-ranges"] == "bytes"
    part = working.get(job["result"]["film"], headers={"Range": "bytes=100-299"})
    assert part.status_code == 206
    assert part.content == whole.content[100:300]
    assert part.headers["content-range"] == f"bytes 100-299/{len(whole.content)}"
    assert whole.headers["content-disposition"].startswith("inline")
    saved = working.get(job["result"]["film"], params={"download": 1})
    assert (
        saved.headers["content-disposition"] == "attachment; filename*=utf-8''drawn%20-%20hello%20there.mp4"
    )


def test_a_film_can_be_forgotten(client: TestClient, say: Say, data: Path):
    job = ended(client, film(client, say(client)["id"]).json())
    (data / "jobs" / job["id"]).mkdir()
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert not (data / "jobs" / job["id"]).exists()
    assert refused(client.get(f"/api/jobs/{job['id']}"), 404, "there is no such job")
    assert refused(client.get(f"/api/jobs/{job['id']}/film"), 404, "there is no such job")
    assert refused(client.delete(f"/api/jobs/{job['id']}"), 404, "there is no such job")


def test_what_cannot_be_filmed_is_refused_at_once(client: TestClient, say: Say):
    speech = say(client)["id"]
    assert refused(film(client, speech, "hapy"), 422, "there is no emotion 'hapy': did you mean happy?")
    assert refused(film(client, speech, "0 sad, 9 happy"), 422, "goes to 9 s, but the speech ends at 1.60 s")
    assert refused(film(client, "0000000000000000"), 404, "there is no such speech")
    assert refused(film(client, speech, portrait="nobody"), 404, "there is no such portrait")
    assert refused(film(client, speech, portrait="../drawn"), 422, "portrait: ")
    assert refused(film(client, speech, seed=3), 422, "seed: ")
    assert refused(client.post("/api/jobs", json={"kind": "opera"}), 422, "kind: ")
    assert refused(client.post("/api/jobs", content=b"{", headers=JSON), 422, "JSON")
    assert client.get("/api/jobs").json() == {"jobs": []}


def test_running_job_can_be_cancelled_but_not_forgotten(client: TestClient, say: Say, stand_in: StandIn):
    stand_in.go.clear()
    speech = say(client)["id"]
    job = film(client, speech).json()
    eventually(lambda: client.get(f"/api/jobs/{job['id']}").json()["done"])
    waiting = film(client, speech).json()
    assert (waiting["state"], waiting["position"]) == ("waiting", 1)
    assert client.get("/api/status").json()["queue"] == {"running": 1, "waiting": 1, "limit": 5}
    assert refused(client.delete(f"/api/jobs/{job['id']}"), 409, "cancel it first")
    assert refused(client.delete("/api/portraits/drawn"), 409, "a job needs this portrait")
    assert [known["id"] for known in client.get("/api/jobs").json()["jobs"]] == [waiting["id"], job["id"]]
    assert client.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/api/jobs/{waiting['id']}/cancel").json()["state"] == "cancelled"
    assert refused(client.post("/api/jobs/none/cancel"), 404, "there is no such job")
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 204


def test_real_job_that_is_cancelled_leaves_nothing_and_the_next_is_done(
    working: TestClient, tmp_path: Path, say: Say
):
    path = write_media(tmp_path / "long.wav", waveform=tone(59))
    long = working.post("/api/speech", files={"file": ("long.wav", path.read_bytes())}).json()["id"]
    job = film(working, long).json()
    eventually(lambda: working.get(f"/api/jobs/{job['id']}").json()["done"])
    cancelled = working.post(f"/api/jobs/{job['id']}/cancel").json()
    assert (cancelled["state"], cancelled["error"], cancelled["result"]) == ("cancelled", None, None)
    assert cancelled["done"] < cancelled["total"] == 59 * 25
    folders = working.app.state.studio.folders
    assert not folders.job(job["id"]).exists()
    assert refused(working.get(f"/api/jobs/{job['id']}/film"), 404, "there is no such film")
    assert ended(working, film(working, say(working)["id"]).json())["state"] == "done"


def test_full_queue_is_told(client: TestClient, say: Say, stand_in: StandIn):
    stand_in.go.clear()
    speech = say(client)["id"]
    for _ in range(6):
        assert film(client, speech).status_code == 202
        eventually(lambda: stand_in.started)
    response = film(client, speech)
    assert refused(response, 429, "5 jobs are waiting already: try again when some are done")
    assert response.headers["retry-after"] == "30"


def test_a_job_that_fails_tells_why(client: TestClient, say: Say, stand_in: StandIn):
    stand_in.error = TaskError("the weights are broken")
    job = ended(client, film(client, say(client)["id"]).json())
    assert (job["state"], job["error"], job["result"]) == ("failed", "the weights are broken", None)


def test_events_tell_every_state_and_end(client: TestClient, say: Say, stand_in: StandIn):
    stand_in.go.clear()
    speech = say(client)["id"]
    film(client, speech)
    job = film(client, speech).json()
    threading.Timer(0.5, stand_in.go.set).start()
    with client.stream("GET", f"/api/jobs/{job['id']}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = list(response.iter_lines())
    assert lines[0] == "event: job"
    told = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert (told[0]["state"], told[0]["position"]) == ("waiting", 1)
    assert (told[-1]["state"], told[-1]["done"], told[-1]["total"]) == ("done", 3, 3)
    assert told[-1]["result"]["film"] == f"/api/jobs/{job['id']}/film"
    assert refused(client.get("/api/jobs/none/events"), 404, "there is no such job")


def test_a_request_that_is_sent_again_is_done_once(client: TestClient, speech_file: Path):
    key = {"Idempotency-Key": "take-1-of-3"}
    upload = [
        client.post("/api/speech", files={"file": ("a.wav", speech_file.read_bytes())}, headers=key).json()
        for _ in range(2)
    ]
    assert upload[0] == upload[1]
    other = client.post("/api/speech", files={"file": ("b.wav", speech_file.read_bytes())}, headers=key)
    assert refused(other, 422, "this Idempotency-Key was used for another request")
    asked = {"kind": "film", "portrait": "drawn", "speech": upload[0]["id"], "emotion": "sad"}
    made = [
        client.post("/api/jobs", json=asked, headers={"Idempotency-Key": "j"}).json()["id"] for _ in range(3)
    ]
    assert len(set(made)) == 1 == len(client.get("/api/jobs").json()["jobs"])
    assert client.post("/api/jobs", json=asked).json()["id"] != made[0]
    bad = {**asked, "emotion": "hapy"}
    for _ in range(2):  # what was refused may be asked for again
        assert refused(
            client.post("/api/jobs", json=bad, headers={"Idempotency-Key": "x"}), 422, "did you mean happy"
        )


# Speech


def test_speech_is_known_and_played(client: TestClient, say: Say, speech_file: Path, tmp_path: Path):
    speech = say(client)
    assert (speech["name"], speech["seconds"]) == ("hello there.wav", 1.6)
    assert len(speech["peaks"]) == 800
    assert (min(speech["peaks"]) >= 0, max(speech["peaks"])) == (True, 1)
    assert client.get(f"/api/speech/{speech['id']}").json() == speech
    sound = client.get(f"/api/speech/{speech['id']}/audio")
    assert sound.headers["content-type"] == "audio/wav"
    (tmp_path / "back.wav").write_bytes(sound.content)
    np.testing.assert_allclose(read_speech(tmp_path / "back.wav"), read_speech(speech_file), atol=1e-6)
    part = client.get(f"/api/speech/{speech['id']}/audio", headers={"Range": "bytes=44-143"})
    assert (part.status_code, part.content) == (206, sound.content[44:144])
    assert refused(client.get("/api/speech/none"), 404, "there is no such speech")


def test_what_is_heard_is_a_description_that_can_be_filmed(client: TestClient, say: Say):
    speech = say(client)
    heard = client.get(f"/api/speech/{speech['id']}/hear").json()
    assert len(heard["times"]) == len(heard["probabilities"])
    assert all(sum(row) == pytest.approx(1, abs=0.01) for row in heard["probabilities"])
    assert set(heard["whole"]) == set(heard["labels"])
    parsed = client.post("/api/emotions/parse", json={"text": heard["track"], "seconds": speech["seconds"]})
    assert parsed.status_code == 200, parsed.text
    assert 1 <= len(parsed.json()["points"]) <= 3
    assert client.get(f"/api/speech/{speech['id']}/hear").json() == heard


def test_broken_uploads_are_refused_and_harm_nothing(
    client: TestClient, say: Say, data: Path, tmp_path: Path
):
    quiet = write_media(tmp_path / "quiet.wav", waveform=tone(1, level=1e-5)).read_bytes()
    for name, content, sentence in (
        ("song.mp3", b"", "song.mp3 is not a media file that can be read"),
        ("song.mp3", b"not a song" * 1000, "song.mp3 is not a media file that can be read"),
        ("quiet.wav", quiet, "the sound of quiet.wav is silent"),
        ("../../etc/passwd", b"root", "passwd is not a media file that can be read"),
        ("film.mp4", write_media(tmp_path / "a.mp4", numbered(5)).read_bytes(), "film.mp4 has no sound track"),
        ("long.wav", write_media(tmp_path / "l.wav", waveform=tone(61)).read_bytes(), "long.wav is longer than 60 s"),
    ):  # fmt: skip
        assert refused(client.post("/api/speech", files={"file": (name, content)}), 422, sentence)
    assert refused(client.post("/api/speech", data={"file": "text"}), 422, "file: ")
    assert refused(client.post("/api/speech"), 422, "file: ")
    assert not any((data / "uploads").iterdir())
    assert not any((data / "speech").iterdir())
    say(client)


def test_playlists_open_no_other_file(client: TestClient, speech_file: Path):
    """Formats that name other files must not make the server read them."""
    for content in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{speech_file}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{speech_file}'\n",
        "v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    ):
        response = client.post("/api/speech", files={"file": ("list.m3u8", content.encode())})
        assert response.status_code == 422, response.text


def test_too_large_is_refused_before_it_is_read(client: TestClient):
    announced = {"Content-Length": str(1 << 40)}
    assert refused(client.post("/api/speech", content=b"", headers=announced), 413, "larger than 200 MiB")
    assert refused(client.post("/api/still", content=b"", headers={"Content-Length": "70000"}), 413, "64 KiB")


# Stills and emotions


def test_a_still_is_that_of_the_pipeline(client: TestClient, say: Say, speech_file: Path, drawn_bundle: Path):
    speech = say(client)["id"]
    asked = {"portrait": "drawn", "speech": speech, "emotion": "0 neutral, 1 happy", "at": 1.2}
    response = client.post("/api/still", json=asked)
    assert response.headers["content-type"] == "image/jpeg"
    shown = picture_of(response)
    expected = still(read_speech(speech_file), Portrait.open(drawn_bundle), asked["emotion"], 1.2)
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 4  # what JPEG takes
    rest = picture_of(client.post("/api/still", json={"portrait": "drawn", "emotion": "angry", "at": 3}))
    assert np.abs(rest.astype(int) - shown).mean() > 1


def test_stills_are_refused_in_the_words_of_the_command_line(client: TestClient, say: Say):
    asked = {"portrait": "drawn", "speech": say(client)["id"], "emotion": "happy:2", "at": 0}
    assert refused(
        client.post("/api/still", json=asked), 422, "the strength of happy must lie between 0 and 1, not 2"
    )
    assert refused(
        client.post(
            "/api/still",
            json={
                **asked,
                "emotion": "",
            },
        ),
        422,
        "cannot read '' as an emotion",
    )
    assert refused(client.post("/api/still", json={**asked, "at": -1}), 422, "at: ")
    assert refused(
        client.post("/api/still", content=b'{"portrait": "drawn", "at": NaN}', headers=JSON), 422, "at: "
    )
    assert refused(
        client.post("/api/still", json={**asked, "speech": "none"}), 404, "there is no such speech"
    )
    assert refused(
        client.post("/api/still", json={**asked, "portrait": "none"}), 404, "there is no such portrait"
    )


def test_descriptions_are_parsed_as_on_the_command_line(client: TestClient):
    labels = client.get("/api/emotions").json()["labels"]
    assert {"neutral", "happy", "contempt"} <= set(labels)
    text = "0 neutral, 2.5 happy:0.5+surprised:0.3, 6 sad"
    parsed = client.post("/api/emotions/parse", json={"text": text, "seconds": 6}).json()
    assert parsed == {"points": [
        {"time": 0, "mixture": {"neutral": 1}}, {"time": 2.5, "mixture": {"happy": 0.5, "surprised": 0.3}},
        {"time": 6, "mixture": {"sad": 1}},
    ]}  # fmt: skip
    late = client.post("/api/emotions/parse", json={"text": text, "seconds": 5})
    assert refused(late, 422, "the emotion track goes to 6 s, but the speech ends at 5.00 s")


# Portraits


def test_portraits_are_shown(client: TestClient):
    [drawn] = [known for known in client.get("/api/portraits").json()["portraits"] if known["id"] == "drawn"]
    assert drawn == client.get("/api/portraits/drawn").json()
    assert (drawn["width"], drawn["height"], drawn["seconds"]) == (144, 128, 1.2)
    assert (drawn["quick"], drawn["builtin"], drawn["name"]) == (True, False, "drawn")
    assert drawn["consent"]["statement"] == "drawn by the tests, which agree"
    assert drawn["left_out"] == ["1.00-2.00 s: no face"]
    assert picture_of(client.get("/api/portraits/drawn/picture")).shape == (128, 144, 3)
    assert client.get("/api/portraits/drawn/sheet").content == b"sheet"
    footage = client.get("/api/portraits/drawn/footage")
    assert footage.headers["content-type"] == "video/mp4"
    assert len(list(read_frames(io.BytesIO(footage.content)))) == 30
    assert (
        client.get("/api/portraits/drawn/footage", headers={"Range": "bytes=0-9"}).content
        == footage.content[:10]
    )
    assert refused(client.get("/api/portraits/none"), 404, "there is no such portrait")
    assert refused(client.get("/api/portraits/none/picture"), 404, "there is no such portrait")


def test_every_emotion_has_a_face(client: TestClient):
    faces = client.get("/api/portraits/drawn/faces").json()["faces"]
    assert set(faces) == set(client.get("/api/emotions").json()["labels"])
    seen = {label: picture_of(client.get(faces[label])) for label in ("neutral", "happy", "angry")}
    assert all(max(picture.shape) <= 160 for picture in seen.values())
    assert np.abs(seen["happy"].astype(int) - seen["neutral"]).mean() > 1
    assert np.abs(seen["happy"].astype(int) - seen["angry"]).mean() > 1
    assert refused(client.get("/api/portraits/drawn/faces/hungry.jpg"), 404, "there is no such emotion")


def test_a_portrait_can_be_deleted_and_its_pictures_with_it(client: TestClient, data: Path):
    picture_of(client.get("/api/portraits/drawn/picture"))
    assert any((data / "cache").iterdir())
    assert client.delete("/api/portraits/drawn").status_code == 204
    assert not any((data / "cache").iterdir())
    assert not (data / "portraits" / "drawn.evp").exists()
    assert refused(client.get("/api/portraits/drawn"), 404, "there is no such portrait")
    assert refused(client.delete("/api/portraits/drawn"), 404, "there is no such portrait")


def test_a_file_that_is_no_portrait_is_passed_over(client: TestClient, data: Path):
    (data / "portraits" / "broken.evp").write_bytes(b"no portrait")
    assert "broken" not in {known["id"] for known in client.get("/api/portraits").json()["portraits"]}
    assert refused(client.get("/api/portraits/broken"), 422, "broken is not a portrait, or it is broken")


def test_the_built_in_portrait_stays(
    client: TestClient, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    bundle = tmp_path / "actor.evp"
    bundle.write_bytes((data / "portraits" / "drawn.evp").read_bytes())
    monkeypatch.setattr("evp.studio.folders.builtin_portrait", lambda: bundle)
    known = client.get("/api/portraits").json()["portraits"]
    assert [(portrait["id"], portrait["builtin"]) for portrait in known] == [
        ("builtin", True),
        ("drawn", False),
    ]
    assert refused(client.delete("/api/portraits/builtin"), 409, "the built-in portrait stays")
    monkeypatch.setattr("evp.studio.folders.builtin_portrait", lambda: tmp_path / "none.evp")
    assert [portrait["id"] for portrait in client.get("/api/portraits").json()["portraits"]] == ["drawn"]


def build(client: TestClient, content: bytes, **fields: str):
    given = {"name": "Me", "consent": "I agree, today", "quick": "true", **fields}
    return client.post("/api/portraits", data=given, files={"file": ("me myself.mp4", content)})


def test_a_portrait_is_a_job_with_consent(client: TestClient, tmp_path: Path, stand_in: StandIn, data: Path):
    stand_in.go.clear()
    film = write_media(tmp_path / "me.mp4", numbered(10)).read_bytes()
    job = build(client, film).json()
    assert job["kind"] == "build" and job["state"] in ("waiting", "running")  # whichever comes first
    assert job["settings"] == {
        "name": "Me", "consent": "I agree, today", "quick": True, "seed": 0, "file_name": "me myself.mp4",
    }  # fmt: skip
    assert (data / "jobs" / job["id"] / "footage").read_bytes() == film
    assert refused(build(client, film, consent="   "), 422, "a portrait needs a statement of consent")
    assert refused(build(client, b"nothing"), 422, "me myself.mp4 is not a media file that can be read")
    assert refused(build(client, film, name=""), 422, "name: ")
    assert len(client.get("/api/jobs").json()["jobs"]) == 1
    assert len(list((data / "jobs").iterdir())) == 1
    client.post(f"/api/jobs/{job['id']}/cancel")
    assert not (data / "jobs" / job["id"]).exists()


def test_footage_without_a_face_fails_in_the_words_of_the_command_line(working: TestClient, tmp_path: Path):
    job = build(working, write_media(tmp_path / "me.mp4", numbered(100, 96, 96)).read_bytes()).json()
    job = ended(working, job)
    assert job["state"] == "failed"
    assert job["error"].startswith("me myself.mp4: ")
    assert "face" in job["error"]
    folders = working.app.state.studio.folders
    assert {path.name for path in folders.portraits.iterdir()} == {"drawn.evp"}


# The rest


def test_status(client: TestClient):
    status = client.get("/api/status").json()
    assert status["queue"] == {"running": 0, "waiting": 0, "limit": 5}
    assert status["token_required"] is False
    assert status["engine"].startswith("onnxruntime")
    assert status["uploads"]["speech_seconds"] == 60


def test_what_is_not_there_is_a_problem_too(client: TestClient):
    assert refused(client.get("/api/nothing"), 404, "Not Found")
    assert refused(client.put("/api/jobs"), 405, "Method Not Allowed")


def test_documentation_asks_for_nothing_elsewhere(client: TestClient):
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "//" not in page.text.replace("<!doctype html>", "").replace("http://", "//")
    schema = client.get("/api/openapi.json").json()
    for path in schema["paths"]:
        assert path in page.text
    assert "Problem" in schema["components"]["schemas"]


def test_no_path_from_outside_is_opened(client: TestClient, data: Path):
    (data / "secret.evp").write_bytes((data / "portraits" / "drawn.evp").read_bytes())
    for wanted in (
        "../secret",
        "..%2Fsecret",
        "%2e%2e%2fsecret",
        "....//secret",
        "/etc/passwd",
        "drawn%00",
        "drawn.evp",
    ):
        for path in (f"/api/portraits/{wanted}", f"/api/portraits/{wanted}/picture", f"/api/speech/{wanted}/audio",
                     f"/api/jobs/{wanted}/film", f"/assets/{wanted}"):  # fmt: skip
            assert client.get(path).status_code in (404, 422), path
