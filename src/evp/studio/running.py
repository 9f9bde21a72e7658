"""How a job runs: a child process with limits, the files that it reads and writes."""

from dataclasses import dataclass
from typing import Any

from evp.errors import InputError
from evp.studio.folders import Folders
from evp.studio.jobs import Progress, Running
from evp.studio.processes import Child
from evp.studio.settings import Limits
from evp.studio.store import Job

_NICENESS = 5
"""Jobs give way to the pictures that somebody is waiting for."""


@dataclass(frozen=True)
class RunningChild:
    """A job in a child process."""

    child: Child
    task: str
    arguments: dict[str, Any]
    names: dict[str, str]
    seconds: float

    def result(self, progress: Progress) -> dict[str, Any]:
        """What the task says. Raises TaskError."""
        try:
            result: dict[str, Any] = self.child.ask(
                self.task, self.arguments, names=self.names, progress=progress, seconds=self.seconds
            )
            return result
        finally:
            self.child.close()

    def kill(self) -> None:
        self.child.kill()


@dataclass(frozen=True)
class Runner:
    """Starts jobs."""

    folders: Folders
    limits: Limits

    def __call__(self, job: Job, device: str) -> Running:
        """Start a job on a device. Raises InputError when what it needs is gone."""
        arguments, names = self._film(job) if job.kind == "film" else self._build(job)
        on_cpu = device == "cpu"
        child = Child(
            memory=self.limits.job_memory if on_cpu else None,  # CUDA reserves far more than it uses
            niceness=_NICENESS,
            environment={} if on_cpu else {"CUDA_VISIBLE_DEVICES": device},
        )
        return RunningChild(child, job.kind, arguments, names, self.limits.job_seconds)

    def _film(self, job: Job) -> tuple[dict[str, Any], dict[str, str]]:
        wanted = job.settings
        speech, output = self.folders.sound(wanted["speech"]), self.folders.film(job.id)
        portrait = self.folders.portrait(wanted["portrait"])
        if portrait is None:
            raise InputError(f"the portrait {wanted['portrait_name']} is no longer there")
        if not speech.exists():
            raise InputError(f"the speech {wanted['speech_name']} is no longer there")
        output.parent.mkdir(parents=True, exist_ok=True)
        arguments = {
            "speech": str(speech), "portrait": str(portrait), "output": str(output), "emotion": wanted["emotion"],
        }  # fmt: skip
        names = {
            str(speech): wanted["speech_name"],
            str(portrait): wanted["portrait_name"],
            str(output): "the film",
        }
        return arguments, names

    def _build(self, job: Job) -> tuple[dict[str, Any], dict[str, str]]:
        wanted = job.settings
        footage, output = self.folders.footage_of(job.id), self.folders.new_portrait(job.id)
        arguments = {
            "footage": str(footage), "output": str(output), "consent": wanted["consent"], "quick": wanted["quick"],
            "seed": wanted["seed"],
        }  # fmt: skip
        return arguments, {str(footage): wanted["file_name"], str(output): wanted["name"]}
