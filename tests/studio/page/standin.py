"""A small stand-in for the studio's server: the same addresses and sentences, drawn people, films in a moment.

python tests/studio/page/standin.py [PORT]    # to look at the page without the pipeline
"""

import io
import json
import re
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np

from evp.clock import FRAME_RATE, SAMPLE_RATE, SAMPLES_PER_FRAME, frames_for_samples
from evp.emotion.space import CODE_SIZE, NEUTRAL, EmotionSpace
from evp.emotion.track import parse_track
from evp.errors import InputError
from evp.media import FilmWriter, probe, read_speech
from studio.page.drawn import ADA, BEN, LABELS, Look, draw

PAGE = Path(str(files("evp") / "studio" / "page"))
SPACE = EmotionSpace({label: np.eye(CODE_SIZE, dtype=np.float32)[n] for n, label in enumerate(LABELS)})
HEARD = (
    ("neutral", {}),
    ("happy:0.55", {"happy": 0.55}),
    ("surprised:0.4", {"surprised": 0.4}),
    ("happy:0.7", {}),
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
CSP = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
FINAL = ("done", "failed", "cancelled")
HELD_OUT = {"face_psnr": 30.8, "face_ssim": 0.918, "mouth_psnr": 28.1, "mouth_ssim": 0.861, "flicker": 0.92}


class RefusedError(Exception):
    """An answer that is a problem."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


@dataclass
class Person:
    record: dict[str, Any]
    look: Look
    pictures: dict[str, bytes] = field(default_factory=dict)
    footage: bytes | None = None


@dataclass
class Said:
    record: dict[str, Any]
    waveform: np.ndarray


@dataclass
class Standin:
    """The state of a studio. Tests set `hold` to stop jobs in the middle, and look at `asked`."""

    hold: threading.Event = field(default_factory=threading.Event)
    """While set, no job goes on."""
    pace: float = 0.004
    """Seconds for a frame."""
    token: str | None = None
    full: bool = False
    still_seconds: float = 0.0
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    speeches: dict[str, Said] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    films: dict[str, bytes] = field(default_factory=dict)
    server: ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.turn = threading.Lock()
        self.add_person("builtin", "Ada", ADA, "Ada is drawn, and agrees to everything.", builtin=True)
        self.add_person("ben", "Ben", BEN, "Ben agreed on 2026-11-03: he is drawn as well.", quick=True)

    def add_person(
        self, key: str, name: str, look: Look, consent: str, *, builtin: bool = False, quick: bool = False
    ) -> None:
        self.people[key] = Person(
            {
                "id": key, "name": name, "builtin": builtin, "width": 512, "height": 512, "seconds": 12.4,
                "quick": quick, "consent": {"statement": consent, "recorded": now()}, "created": now(),
                "left_out": [] if builtin else ["9.6-10.2 s: no face"], "held_out": HELD_OUT,
            },
            look,
        )  # fmt: skip

    def start(self, port: int = 0) -> str:
        """Begin to answer; the address of the page."""
        self.server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def add_job(self, kind: str, settings: dict[str, Any], total: int, work: Callable[[dict], None]) -> dict:
        with self.lock:
            job = {
                "id": f"{kind}-{len(self.jobs) + 1}", "kind": kind, "state": "waiting", "stage": "", "done": 0,
                "total": 0, "frames_per_second": None, "seconds_left": None, "created": now(), "started": None,
                "finished": None, "settings": settings, "error": None, "result": None, "position": 1,
            }  # fmt: skip
            self.jobs[job["id"]] = job
        threading.Thread(target=self._run, args=(job, total, work), daemon=True).start()
        return job

    def _run(self, job: dict, total: int, work: Callable[[dict], None]) -> None:
        with self.turn:
            if job["state"] == "cancelled":
                return
            job |= {
                "state": "running",
                "stage": "rendering",
                "total": total,
                "started": now(),
                "position": None,
            }
            for done in range(1, total + 1):
                while self.hold.is_set() and job["state"] == "running" and done > total // 3:
                    time.sleep(0.02)
                if job["state"] == "cancelled":
                    return
                if job["kind"] == "build":
                    job["stage"] = "finding the face" if done < total / 2 else "learning"
                time.sleep(self.pace)
                job |= {
                    "done": done,
                    "frames_per_second": 24.6,
                    "seconds_left": round((total - done) / 24.6, 1),
                }
            try:
                work(job)
                job |= {"state": "done", "finished": now()}
            except InputError as error:
                job |= {"state": "failed", "finished": now(), "error": str(error)}

    def film(self, person: Person, said: Said | None, emotion: str, frames: int) -> bytes:
        """A drawn film."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            sound = None if said is None else said.waveform
            with FilmWriter(path, 192, 192, sound, {"software": "a stand-in"}) as film:
                for number in range(frames):
                    film.write(self.frame(person, said, emotion, number / FRAME_RATE, 192))
            return path.read_bytes()

    def frame(self, person: Person, said: Said | None, emotion: str, at: float, size: int) -> np.ndarray:
        track = parse_track(emotion, SPACE, None if said is None else said.record["seconds"])
        shares = SPACE.shares(track.at(np.array([at])))[0]
        opening = 0.0
        if said is not None:
            first = round(at * FRAME_RATE) * SAMPLES_PER_FRAME
            heard = said.waveform[first : first + SAMPLES_PER_FRAME]
            opening = float(min(1, 4 * np.sqrt(np.mean(heard**2)))) if len(heard) else 0.0
        mixture = dict(zip(LABELS, shares.tolist(), strict=True))
        return draw(person.look, mixture, opening, float(np.sin(at * 1.1)) * 0.6, size)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, studio: Standin, *arguments: Any) -> None:
        self.studio = studio
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_DELETE(self) -> None:
        self.answer("DELETE")

    def answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.studio.server is None:  # stopped: what is still connected gets no answer
            self.close_connection = True
            return None
        path = urlsplit(self.path).path
        try:
            if not path.startswith("/api/"):
                return self.page(path)
            if self.studio.token and self.headers.get("Authorization") != f"Bearer {self.studio.token}":
                raise RefusedError(401, "the studio needs its token")
            if method != "GET" and self.headers.get("X-Evp-Studio") != "1":
                raise RefusedError(403, "this did not come from the studio's page")
            for verb, pattern, action in ROUTES:
                found = re.fullmatch(pattern, path)
                if verb == method and found:
                    return action(self, body, *found.groups())
            raise RefusedError(404, "there is no such address")
        except RefusedError as problem:
            self.problem(problem.status, problem.detail)
        except InputError as problem:
            self.problem(422, str(problem))

    def problem(self, status: int, detail: str) -> None:
        self.send({"type": "about:blank", "title": "problem", "status": status, "detail": detail}, status,
                  "application/problem+json")  # fmt: skip

    def send(self, content: Any, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        whole, start = data, 0
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and status == 200:
            start = int(asked[1])
            data = data[start : int(asked[2]) + 1 if asked[2] else None]
            status = 206
            headers["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/{len(whole)}"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Security-Policy", CSP)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        try:
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the page has gone

    def page(self, path: str) -> None:
        file = PAGE / (path.lstrip("/") or "index.html")
        if not file.is_file() or PAGE not in file.resolve().parents:
            raise RefusedError(404, "there is no such address")
        self.send(file.read_bytes(), kind=TYPES.get(file.suffix, "application/octet-stream"))

    # ---- What is asked for

    def note(self, what: str, detail: Any = None) -> None:
        self.studio.asked.append((self.command, what, detail))

    def parts(self, body: bytes) -> dict[str, tuple[str | None, bytes]]:
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        return {
            str(part.get_param("name", header="content-disposition")): (
                part.get_filename(),
                part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        }

    def person(self, key: str) -> Person:
        if key not in self.studio.people:
            raise RefusedError(404, "there is no such portrait")
        return self.studio.people[key]

    def said(self, key: str) -> Said:
        if key not in self.studio.speeches:
            raise RefusedError(404, "there is no such speech")
        return self.studio.speeches[key]

    def job(self, key: str) -> dict[str, Any]:
        if key not in self.studio.jobs:
            raise RefusedError(404, "there is no such job")
        return self.studio.jobs[key]

    def status(self, _: bytes) -> None:
        states = [job["state"] for job in self.studio.jobs.values()]
        self.send({
            "version": "0.1.0", "token_required": self.studio.token is not None, "engine": "drawn",
            "queue": {"running": states.count("running"), "waiting": states.count("waiting"), "limit": 64},
            "kept": {"days": 30.0, "bytes": 20 << 30},
            "uploads": {"speech_bytes": 200 << 20, "speech_seconds": 1800.0, "footage_bytes": 2 << 30,
                        "footage_seconds": 600.0},
        })  # fmt: skip

    def emotions(self, _: bytes) -> None:
        self.send({"labels": list(LABELS)})

    def portraits(self, _: bytes) -> None:
        self.send({"portraits": [person.record for person in self.studio.people.values()]})

    def picture(self, _: bytes, key: str) -> None:
        self.send(jpeg(draw(self.person(key).look, {}, size=512)), kind="image/jpeg")

    def sheet(self, _: bytes, key: str) -> None:
        look = self.person(key).look
        rows = [
            [draw(look, {label: part}, size=160) for label in ("neutral", "happy", "sad", "calm")]
            for part in (1, 0.9)
        ]
        self.send(jpeg(np.vstack([np.hstack(row) for row in rows])), kind="image/jpeg")

    def faces(self, _: bytes, key: str) -> None:
        self.person(key)
        self.send({"faces": {label: f"/api/portraits/{key}/faces/{label}.jpg" for label in LABELS}})

    def face(self, _: bytes, key: str, label: str) -> None:
        person = self.person(key)
        if label not in person.pictures:
            person.pictures[label] = jpeg(draw(person.look, {label: 1.0}, size=192)[22:158, 28:164])
        self.send(person.pictures[label], kind="image/jpeg")

    def footage(self, _: bytes, key: str) -> None:
        person = self.person(key)
        if person.footage is None:
            person.footage = self.studio.film(person, None, NEUTRAL, 75)
        self.send(person.footage, kind="video/mp4")

    def delete_portrait(self, _: bytes, key: str) -> None:
        if self.person(key).record["builtin"]:
            raise RefusedError(409, "the built-in portrait stays")
        del self.studio.people[key]
        self.send(b"", 204)

    def build(self, body: bytes) -> None:
        parts = self.parts(body)
        name, consent, quick = (parts[part][1].decode() for part in ("name", "consent", "quick"))
        file_name, content = parts["file"]
        self.note("build", {"name": name, "consent": consent, "quick": quick})
        if not consent.strip():
            raise InputError(
                "a portrait needs a statement of consent: how the person shown has agreed, and when"
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "footage"
            path.write_bytes(content)
            try:
                frames = probe(path).frames
            except InputError as error:
                raise InputError(str(error).replace(str(path), file_name or "footage")) from error

        def finish(job: dict[str, Any]) -> None:
            if frames < 3 * FRAME_RATE:
                raise InputError(
                    f"{file_name}: only {frames / FRAME_RATE:.1f} s show a face; at least 3 s are needed"
                )
            self.studio.add_person(job["id"], name, BEN, consent, quick=quick == "true")
            report = {
                "shots": 1,
                "source_frames": 60,
                "build_seconds": 57.0,
                "left_out": [],
                "held_out": HELD_OUT,
            }
            job["result"] = {
                "film": f"/api/portraits/{job['id']}/footage", "width": 512, "height": 512,
                "seconds": frames / FRAME_RATE, "portrait_id": job["id"], "report": report,
            }  # fmt: skip

        settings = {
            "name": name,
            "consent": consent,
            "quick": quick == "true",
            "seed": 0,
            "file_name": file_name,
        }
        self.send(self.studio.add_job("build", settings, 90, finish), 202)

    def take_speech(self, body: bytes) -> None:
        name, content = self.parts(body)["file"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech"
            path.write_bytes(content)
            try:
                waveform = read_speech(path)
            except InputError as error:
                raise InputError(str(error).replace(str(path), name or "speech")) from error
        key = f"speech-{len(self.studio.speeches) + 1}"
        parts = np.array_split(np.abs(waveform), 800)
        peaks = [round(float(part.max()), 3) for part in parts if len(part)]
        record = {"id": key, "name": name, "seconds": len(waveform) / SAMPLE_RATE, "peaks": peaks}
        self.studio.speeches[key] = Said(record, waveform)
        self.send(record, 201)

    def speech(self, _: bytes, key: str) -> None:
        self.send(self.said(key).record)

    def audio(self, _: bytes, key: str) -> None:
        sound = io.BytesIO()
        with wave.open(sound, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes((self.said(key).waveform * 32767).astype("<i2").tobytes())
        self.send(sound.getvalue(), kind="audio/wav")

    def hear(self, _: bytes, key: str) -> None:
        seconds = self.said(key).record["seconds"]
        self.note("hear")
        moments = np.linspace(0, seconds, len(HEARD) + 2)[1:-1]
        track = ", ".join(f"{time:.2f} {text}" for time, (text, _) in zip(moments, HEARD, strict=True))
        self.send(
            {
                "track": track,
                "times": [],
                "labels": list(LABELS),
                "probabilities": [],
                "whole": {"happy": 0.5},
            }
        )

    def parse(self, body: bytes) -> None:
        asked = json.loads(body)
        track = parse_track(asked["text"], SPACE, asked["seconds"])
        shares = SPACE.shares(track.codes)
        self.send({"points": [
            {"time": time, "mixture": dict(zip(LABELS, row, strict=True))}
            for time, row in zip(track.times.tolist(), shares.tolist(), strict=True)
        ]})  # fmt: skip

    def still(self, body: bytes) -> None:
        asked = json.loads(body)
        self.note("still", asked)
        person = self.person(asked["portrait"])
        said = None if asked["speech"] is None else self.said(asked["speech"])
        time.sleep(self.studio.still_seconds)
        picture = self.studio.frame(person, said, asked["emotion"], asked["at"], 512)
        self.send(jpeg(picture), kind="image/jpeg")

    def make(self, body: bytes) -> None:
        asked = json.loads(body)
        self.note("film", asked)
        if set(asked) != {"kind", "portrait", "speech", "emotion"} or asked["kind"] != "film":
            raise RefusedError(422, f"a film takes no {sorted(asked)}")
        if self.studio.full:
            raise RefusedError(429, "64 jobs are waiting already: try again when some are done")
        person, said = self.person(asked["portrait"]), self.said(asked["speech"])
        parse_track(asked["emotion"], SPACE, said.record["seconds"])
        frames = frames_for_samples(len(said.waveform))

        def finish(job: dict[str, Any]) -> None:
            self.studio.films[job["id"]] = self.studio.film(person, said, asked["emotion"], frames)
            job["result"] = {
                "film": f"/api/jobs/{job['id']}/film", "width": 192, "height": 192, "seconds": frames / FRAME_RATE,
                "portrait_id": None, "report": None,
            }  # fmt: skip

        settings = {
            "portrait": asked["portrait"], "portrait_name": person.record["name"], "speech": asked["speech"],
            "speech_name": said.record["name"], "emotion": asked["emotion"],
        }  # fmt: skip
        self.send(self.studio.add_job("film", settings, frames, finish), 202)

    def every_job(self, _: bytes) -> None:
        self.send({"jobs": list(self.studio.jobs.values())[::-1]})

    def one_job(self, _: bytes, key: str) -> None:
        self.send(self.job(key))

    def cancel(self, _: bytes, key: str) -> None:
        self.note("cancel", key)
        job = self.job(key)
        if job["state"] not in FINAL:
            job |= {"state": "cancelled", "finished": now()}
        self.send(job)

    def delete_job(self, _: bytes, key: str) -> None:
        if self.job(key)["state"] not in FINAL:
            raise RefusedError(409, "this job has not ended: cancel it first")
        del self.studio.jobs[key]
        self.send(b"", 204)

    def events(self, _: bytes, key: str) -> None:
        job, told = self.job(key), ""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while self.studio.server is not None:
                text = json.dumps(job)
                if text != told:
                    self.wfile.write(f"event: job\ndata: {text}\n\n".encode())
                    self.wfile.flush()
                    told = text
                if json.loads(text)["state"] in FINAL:
                    return
                time.sleep(0.1)
        except OSError:
            return  # the page has gone

    def made(self, _: bytes, key: str) -> None:
        if key not in self.studio.films:
            raise RefusedError(404, "there is no such film")
        name = {"Content_Disposition": 'attachment; filename="film.mp4"'} if "download=1" in self.path else {}
        self.send(self.studio.films[key], kind="video/mp4", **name)


ROUTES: tuple[tuple[str, str, Callable[..., None]], ...] = (
    ("GET", "/api/status", Handler.status),
    ("GET", "/api/emotions", Handler.emotions),
    ("POST", "/api/emotions/parse", Handler.parse),
    ("GET", "/api/portraits", Handler.portraits),
    ("POST", "/api/portraits", Handler.build),
    ("DELETE", r"/api/portraits/([\w-]+)", Handler.delete_portrait),
    ("GET", r"/api/portraits/([\w-]+)/picture", Handler.picture),
    ("GET", r"/api/portraits/([\w-]+)/sheet", Handler.sheet),
    ("GET", r"/api/portraits/([\w-]+)/footage", Handler.footage),
    ("GET", r"/api/portraits/([\w-]+)/faces", Handler.faces),
    ("GET", r"/api/portraits/([\w-]+)/faces/(\w+)\.jpg", Handler.face),
    ("POST", "/api/speech", Handler.take_speech),
    ("GET", r"/api/speech/([\w-]+)", Handler.speech),
    ("GET", r"/api/speech/([\w-]+)/audio", Handler.audio),
    ("GET", r"/api/speech/([\w-]+)/hear", Handler.hear),
    ("POST", "/api/still", Handler.still),
    ("POST", "/api/jobs", Handler.make),
    ("GET", "/api/jobs", Handler.every_job),
    ("GET", r"/api/jobs/([\w-]+)", Handler.one_job),
    ("DELETE", r"/api/jobs/([\w-]+)", Handler.delete_job),
    ("POST", r"/api/jobs/([\w-]+)/cancel", Handler.cancel),
    ("GET", r"/api/jobs/([\w-]+)/events", Handler.events),
    ("GET", r"/api/jobs/([\w-]+)/film", Handler.made),
)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes()


if __name__ == "__main__":
    sys.stdout.write(Standin(pace=0.04).start(int(sys.argv[1]) if len(sys.argv) > 1 else 8765) + "\n")
    sys.stdout.flush()
    threading.Event().wait()
