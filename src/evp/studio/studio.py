"""One studio: its database, its queue, its portraits and its processes, put together."""

import tempfile
import threading

from evp.studio.folders import Folders
from evp.studio.housekeeping import job_ended, sweep, tidy
from evp.studio.jobs import Jobs, Start
from evp.studio.library import Library
from evp.studio.processes import Assistant
from evp.studio.running import Runner
from evp.studio.settings import Settings
from evp.studio.store import Job, Store


class Studio:
    """What the routes work with."""

    def __init__(self, settings: Settings, start: Start | None = None) -> None:
        """``start`` takes the place of what starts jobs. Raises InputError, OutputError."""
        self.settings = settings
        self.folders = Folders(settings.data)
        self.folders.make()
        tempfile.tempdir = str(
            self.folders.uploads
        )  # a large upload lies here while it comes in, not in memory
        self.store = Store(self.folders.database)
        self._tidying = threading.Lock()
        self.assistant = Assistant(settings.limits.answer_seconds)
        self.library = Library(self.folders, self.store, self.assistant)
        self.jobs = Jobs(
            self.store,
            start or Runner(self.folders, settings.limits),
            devices=settings.devices,
            limits=settings.limits,
            finished=self._ended,
        )
        sweep(self.store, self.folders)
        self.tidy()

    def open(self) -> None:
        """Begin to work."""
        self.assistant.start("status")
        self.jobs.open()

    def close(self) -> None:
        """Stop; what was running goes on the next time."""
        self.jobs.close()
        self.assistant.close()
        self.store.close()

    def _ended(self, job: Job) -> None:
        job_ended(job, self.store, self.folders)
        self.tidy()

    def tidy(self) -> None:
        """Remove what is too old, too much, or belongs to nothing."""
        with self._tidying:
            tidy(self.store, self.folders, self.settings.limits)
