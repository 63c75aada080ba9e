"""The one place where transactions are opened: `run` writes, `read` reads; it must not know what they do.

SQLite: one writer thread with a queue; what waits is done in one transaction, a savepoint each, and one commit.
PostgreSQL: a small pool of threads, one transaction each. Work is a plain function of a connection.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from bot.storage import vault as vaults

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]

BUSY_TIMEOUT_MS: Final = 5000
_TRIES: Final = 3
_BATCH: Final = 200
_POOL: Final = 4


class DatabaseBusyError(Exception):
    """The database is locked, away or in conflict, three times over: try the whole turn again later."""


def parse_url(text: str) -> URL:
    """`sqlite:///path` or `postgresql://…`, with the driver put in. Raises ValueError that names what was expected."""
    try:
        url = make_url(text)
    except sa.exc.ArgumentError:
        msg = "is not a database address; expected sqlite:///path/to/file or postgresql://user@host/name"
        raise ValueError(msg) from None
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite")
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
    msg = "names a database that is not known; expected sqlite:///path/to/file or postgresql://user@host/name"
    raise ValueError(msg)


def make_engine(url: URL, vault: vaults.Vault, *, query_only: bool = False) -> sa.Engine:
    """An engine whose connections carry the keys, and on SQLite the settings that make it right."""
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(
            url, pool_size=_POOL, max_overflow=2, pool_pre_ping=True, isolation_level="READ COMMITTED",
            execution_options={"postgresql_readonly": True} if query_only else {},
        )  # fmt: skip
    else:
        Path(url.database or "").resolve().parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"check_same_thread": False}, pool_size=_POOL)
        _tune_sqlite(engine, query_only=query_only)

    @sa.event.listens_for(engine, "engine_connect")
    def give_keys(connection: sa.Connection) -> None:
        vaults.attach(connection, vault)

    return engine


def _tune_sqlite(engine: sa.Engine, *, query_only: bool) -> None:
    @sa.event.listens_for(engine, "connect")
    def connected(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # or the driver opens transactions by itself, deferred
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        if query_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    begin = "BEGIN" if query_only else "BEGIN IMMEDIATE"

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)


class _Job:
    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self.result: Any = None
        self.error: BaseException | None = None


class Database:
    """Two doors to one database. Opened by `app` (or a command), closed by it."""

    def __init__(self, url: str, vault: vaults.Vault) -> None:
        self.url = parse_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.writer = make_engine(self.url, vault)
        self._reader = make_engine(self.url, vault, query_only=True)
        self._readers = concurrent.futures.ThreadPoolExecutor(_POOL, thread_name_prefix="read")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._write, name=f"write-{n}", daemon=True)
            for n in range(1 if self.sqlite else _POOL)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Work[Result]) -> Result:
        """Do this in one transaction that is committed when it returns, and never cancelled half-way.

        Raises what `work` raised (nothing is then stored), or DatabaseBusyError.
        """
        job = _Job(work)
        self._jobs.put(job)
        result: Result = await asyncio.shield(asyncio.wrap_future(job.done))
        return result

    def run_now(self, work: Work[Result]) -> Result:
        """The same for a command or a test, blocking the calling thread."""
        job = _Job(work)
        self._jobs.put(job)
        result: Result = job.done.result()
        return result

    async def read(self, query: Work[Result]) -> Result:
        """Read in a transaction of its own that cannot write."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Work[Result]) -> Result:
        """The same, blocking."""
        with self._reader.connect() as db:
            return query(db)

    def close(self) -> None:
        """Finish what waits, then close. Blocking."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._readers.shutdown()
        self.writer.dispose()
        self._reader.dispose()

    def _write(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, stop = [job], False
            while self.sqlite and len(jobs) < _BATCH:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                    break
                jobs.append(following)
            self._do(jobs)
            if stop:
                break

    def _do(self, jobs: list[_Job]) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                with self.writer.begin() as db:
                    for job in jobs:
                        _in_savepoint(db, job, alone=len(jobs) == 1)
            except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
                if attempt < _TRIES and _again(error):
                    continue
                failure: BaseException = DatabaseBusyError(type(error.orig).__name__) if _again(error) else error
            except BaseException as error:  # noqa: BLE001 (it belongs to the caller, who waits in another thread)
                failure = error
            else:
                break
            for job in jobs:
                job.error = job.error or failure
            break
        for job in jobs:
            if job.error is not None:
                job.done.set_exception(job.error)
            else:
                job.done.set_result(job.result)


def _in_savepoint(db: sa.Connection, job: _Job, *, alone: bool) -> None:
    job.error = None
    if alone:
        job.result = job.work(db)
        return
    try:
        with db.begin_nested():
            job.result = job.work(db)
    except (sa.exc.OperationalError, sa.exc.InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 (this one's failure must not undo its neighbours)
        job.error = error


_SERIALIZATION: Final = {"40001", "40P01", "57P01", "57P02", "57P03", "08006", "08003", "08000"}


def _again(error: sa.exc.DBAPIError) -> bool:
    """Whether the same work may succeed when it is run again: locked, in conflict, or the connection went away."""
    state = getattr(error.orig, "sqlstate", None)
    if state in _SERIALIZATION or error.connection_invalidated:
        return True
    text = str(error.orig).lower()
    return "locked" in text or "busy" in text or "connection" in text
