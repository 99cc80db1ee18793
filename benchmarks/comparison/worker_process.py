"""Workers: one process per method, in its peer's environment, that answers requests one by one."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.comparison.environments import Environment, Method
from benchmarks.harness.processes import last_line

_PROGRAM = Path(__file__).with_name("worker.py")


class Worker:
    """A process that runs one method; a context manager that terminates it."""

    def __init__(
        self, method: Method, environment: Environment, threads: int, model: Path | None
    ) -> None:
        """Start the process.

        Args:
            method: what it runs.
            environment: whose interpreter it runs on.
            threads: number of threads; 0 for as many as the method likes.
            model: the file that the method needs, or None.

        Raises:
            OSError: it cannot be started.
        """
        options = {**method.options, "threads": threads, "model": str(model) if model else None}
        command = [str(environment.python), "-I", str(_PROGRAM), json.dumps(options)]
        # A file, not a pipe: libraries may log more than a pipe holds before anyone reads it.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        except OSError:
            self._errors.close()
            raise

    def __enter__(self) -> Worker:
        """Return the worker itself."""
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Terminate the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its response.

        Args:
            request: see `benchmarks.comparison.worker`.
            arguments: of the request, as JSON values.

        Raises:
            OSError: the process has ended; the message is the last line of its standard error.
        """
        requests, responses = self._process.stdin, self._process.stdout
        assert requests is not None
        assert responses is not None
        try:
            requests.write(json.dumps({"request": request, **arguments}) + "\n")
            requests.flush()
            line = responses.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise OSError(self._failure())
        response: dict[str, Any] = json.loads(line)
        return response

    def _failure(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        return last_line(self._errors.read()) or "the process ended without a message"
