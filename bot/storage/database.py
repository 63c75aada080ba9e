"""The one place where transactions are opened: `run` writes, `read` reads; it must not know what they do.

SQLite: one writer thread with a queue; what waits is done in one transaction and one commit, and when something of it
fails, again with a savepoint each. PostgreSQL: a small pool of threads that do the same. Work is a plain function of a
connection.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from bot.storage import faults, transaction
from bot.storage import vault as vaults
from bot.storage.held import Held

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]

BUSY_TIMEOUT_MS: Final = 5000
_TRIES: Final = 3
_BATCH: Final = 200
_BATCH_POSTGRESQL: Final = 20  # a transaction there holds the locks of all its lanes
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
            url, pool_size=_POOL, max_overflow=2, isolation_level="READ COMMITTED", hide_parameters=True,
            execution_options={"postgresql_readonly": True} if query_only else {},
        )  # fmt: skip
    else:
        Path(url.database or "").resolve().parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"check_same_thread": False}, pool_size=_POOL, hide_parameters=True)
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
    """Work that waits for the writer, and who wants to know how it ended."""

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(
        self,
        work: Work[Any],
        future: asyncio.Future[Any] | concurrent.futures.Future[Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.work = work
        self.future = future
        self.loop = loop
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Give the outcome to who waits; nobody may wait any more."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
            if isinstance(self.error, DatabaseBusyError):
                self.future.exception()  # who gave up waiting tries again anyway: no "never retrieved" in the log
        else:
            self.future.set_result(self.result)


class Database:
    """Two doors to one database. Opened by `app` (or a command), closed by it."""

    def __init__(self, url: str, vault: vaults.Vault) -> None:
        self.url = parse_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.in_order = self.sqlite  # what is submitted later is done later: there is one writer
        self._faults = faults.raised(sqlite=self.sqlite)
        self.writer = make_engine(self.url, vault)
        self._reader = make_engine(self.url, vault, query_only=True)
        self._readers = concurrent.futures.ThreadPoolExecutor(_POOL, thread_name_prefix="read")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._batch = _BATCH if self.sqlite else _BATCH_POSTGRESQL
        self._threads = [
            threading.Thread(target=self._write, name=f"write-{n}", daemon=True)
            for n in range(1 if self.sqlite else _POOL)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work[Result]) -> asyncio.Future[Result]:
        """Queue work from the event loop: it runs after what was queued before, and often in one commit with it.

        It runs to its end whoever waits. The future raises as `run` does. `work` may be run more than once (after a
        conflict, or when its neighbour failed): only its result may leave it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._jobs.put(_Job(work, future, loop))
        return future

    async def run(self, work: Work[Result]) -> Result:
        """Do this in one transaction that is committed when it returns, and never cancelled half-way.

        Raises what `work` raised (nothing is then stored), or DatabaseBusyError.
        """
        return await self.submit(work)

    def run_now(self, work: Work[Result]) -> Result:
        """The same for a command or a test, blocking the calling thread."""
        future: concurrent.futures.Future[Result] = concurrent.futures.Future()
        self._jobs.put(_Job(work, future, None))
        return future.result()

    async def read(self, query: Work[Result]) -> Result:
        """Read in a transaction of its own that cannot write. Raises what `query` raised, or DatabaseBusyError."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Work[Result]) -> Result:
        """The same, blocking."""
        try:
            with self._reader.begin() as db:
                return query(db)
        except self._faults as error:
            if faults.again(error):
                raise DatabaseBusyError(faults.name(error)) from None
            if isinstance(error, sa.exc.SQLAlchemyError):
                raise
            raise sa.exc.OperationalError("", None, error) from None  # of a statement of `hot`

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
        held = Held(self.writer, () if self.sqlite else self._faults)  # a file is not lost
        while (job := self._jobs.get()) is not None:
            jobs, stop = [job], False
            while len(jobs) < self._batch:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                    break
                jobs.append(following)
            self._do(jobs, held)
            _tell(jobs)
            if stop:
                break
        held.close()

    def _do(self, jobs: list[_Job], held: Held) -> None:
        """All in one transaction; if one of them fails, once more with a savepoint each."""
        careful = conflict = False
        for attempt in range(1, _TRIES + 2):
            try:
                with held.begin() as db:
                    transaction.begin(db)
                    for job in jobs:
                        self._do_one(db, job, savepoint=careful)
                    transaction.finish(db)
                return  # noqa: TRY300 (committed)
            except self._faults as error:
                failure: BaseException = DatabaseBusyError(faults.name(error)) if faults.again(error) else error
                conflict = getattr(getattr(error, "orig", None) or error, "sqlstate", None) in faults.CONFLICTS
                if attempt <= _TRIES and faults.again(error) and (len(jobs) == 1 or not conflict):
                    continue
            except _WorkFailedError as failed:
                failure = failed.error
                if len(jobs) > 1 and not careful:
                    careful = True
                    continue
            except BaseException as error:  # noqa: BLE001 (it belongs to who waits, in another thread)
                failure = error
            if len(jobs) > 1 and (conflict or not isinstance(failure, DatabaseBusyError)):
                for job in jobs:  # one is wrong in a way that ends the transaction, or they hold too many locks
                    self._do([job], held)
                return
            for job in jobs:
                job.error = job.error or failure
            return

    def _do_one(self, db: sa.Connection, job: _Job, *, savepoint: bool) -> None:
        job.error = None
        undone = transaction.savepoint(db) if savepoint else None
        try:
            if savepoint:
                with db.begin_nested():
                    job.result = job.work(db)
            else:
                job.result = job.work(db)
        except self._faults:
            raise
        except Exception as error:  # noqa: BLE001 (it belongs to who waits, in another thread)
            if undone is None:
                raise _WorkFailedError(error) from None
            job.error = error  # its failure does not undo its neighbours
            undone()


class _WorkFailedError(Exception):
    """What a job raised by itself, so that it is not taken for a fault of the database."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _tell(jobs: list[_Job]) -> None:
    """Tell everybody who waits, with one wake-up per event loop."""
    of_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        if job.loop is None:
            job.tell()
        else:
            of_loop.setdefault(job.loop, []).append(job)
    for loop, told in of_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell_all, told)


def _tell_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.tell()
