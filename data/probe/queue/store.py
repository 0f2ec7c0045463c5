"""Jobs with their order, state and slot, in one SQLite file that many processes use at once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from data.errors import DataError
from data.probe import found, members, names
from data.probe.folder import SPEC, Folder, now
from data.probe.queue import rebuild, shared
from data.probe.queue.job import Job
from data.probe.queue.kept import keep
from data.probe.spec import Spec

FILE = "queue.sqlite"
BUSY = 30.0  # seconds that a process waits for another's transaction
BUILT = 1  # the user_version of a file that knows what the folders held when it was made

_TABLES = """
create table if not exists jobs (
    key text primary key, name text not null, sweep text not null, place integer not null, priority integer not null default 0,
    state text not null, slot text not null default '', process text not null default '', attempts integer not null default 0,
    sentence text not null default '', queued real not null, started real not null default 0, ended real not null default 0
);
create table if not exists sweeps (name text primary key, held text not null default '', fast integer not null default 0);
create table if not exists traits (
    key text primary key, alike text not null default '', trunk text not null default '', trunk_tokens real not null default 0
);
create table if not exists kills (key text primary key, times integer not null);
create table if not exists given_up (name text primary key);
create unique index if not exists one_job_a_slot on jobs (slot) where state = 'running' and slot <> '';
"""


_COLUMNS = ", ".join(f.name for f in fields(Job))
_HELD = "select name, held from sweeps where held <> ''"


def _built(held: sqlite3.Connection) -> bool:
    return bool(held.execute("pragma user_version").fetchone()[0])


@dataclass(frozen=True)
class Store:
    """The jobs whose folders lie under `root`."""

    root: Path

    @contextmanager
    def _open(self, *, anew: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it takes place, or nothing. A file that is new knows first what the folders hold."""
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            held = sqlite3.connect(self.root / FILE, timeout=BUSY, isolation_level=None)
        except sqlite3.Error as error:
            raise DataError(f"{self.root / FILE} cannot be opened: {error}.") from None
        try:
            held.executescript("pragma journal_mode = wal; pragma synchronous = full;" + _TABLES)
            listed = rebuild.entries(self.root) if anew and not _built(held) else []  # outside: reading takes a while
            held.execute("begin immediate")
            if anew and not _built(held):
                rebuild.put(held, self.root, listed)
                held.execute(f"pragma user_version = {BUILT}")
            yield held
            held.execute("commit")
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self.root / FILE} cannot be used: {error}. {_remedy(str(error))}") from None
        finally:
            held.close()

    def folder(self, job: Job) -> Folder:
        """Where a job's run is kept. Raises DataError for a job of no folder below the root, which somebody wrote into the file."""
        for part in (job.sweep, job.name):
            if "/" in part or part in ("", ".", ".."):
                raise DataError(f"{self.root / FILE} names a folder {part!r:.60}, which is none below {self.root}.")
        return Folder(self.root / job.sweep / job.name)

    def submit(self, sweep: str, specs: Iterable[Spec], priority: int = 0) -> list[Job]:
        """Queue runs as a sweep; one that is there already, in whatever state and sweep, is not queued again.

        One whose folder somebody deleted is made anew, in this sweep. Raises DataError for a name that is no folder's.
        """
        listed = list(specs)
        names.checked(sweep)
        with members.submitting(self.root):
            members.check(self.root / sweep)  # before anything is made: it may not be readable
            self._queue(sweep, listed, priority)
        keys = {one.key for one in listed}
        return [job for job in self.jobs() if job.key in keys]

    def _queue(self, sweep: str, listed: list[Spec], priority: int) -> None:
        known = {job.key: job for job in self.jobs()}
        lies = {one.key: self.folder(known[one.key]) for one in listed if one.key in known}
        gone = [k for k, folder in lies.items() if known[k].state != "running" and not found.is_run(folder.path)]
        for one in listed:
            made = one.key in lies and one.key not in gone
            (lies[one.key] if made else Folder(self.root / sweep / one.key)).declare(one)
        members.join(self.root / sweep, (one.key for one in listed))
        with self._open() as held:
            held.executemany("delete from jobs where key = ? and state <> 'running'", [(key,) for key in gone])
            held.execute("insert or ignore into sweeps (name) values (?)", (sweep,))
            held.execute("delete from given_up where name = ?", (sweep,))
            (place,) = held.execute("select coalesce(max(place), 0) from jobs").fetchone()
            for i, one in enumerate(listed, start=1):
                held.execute(
                    "insert or ignore into jobs (key, name, sweep, place, priority, state, queued) values (?, ?, ?, ?, ?, 'queued', ?)",
                    (one.key, one.key, sweep, place + i, priority, now()),
                )
                held.execute("insert or ignore into traits values (?, ?, ?, ?)", rebuild.traits(one))
            keep(held, self.root, [sweep])

    def jobs(self, sweep: str | None = None) -> list[Job]:
        """All jobs, or those of a sweep, in the order in which they are to run."""
        own = () if sweep is None else found.keys(self.root / sweep)
        with self._open() as held:
            rows = held.execute(f"select {_COLUMNS} from jobs order by priority desc, place").fetchall()
        return [job for job in (Job(*row) for row in rows) if sweep is None or job.sweep == sweep or job.key in own]

    def stopped(self, jobs: Iterable[Job]) -> dict[str, str]:
        """Those of these jobs that wait and will not begin, as every sweep that has them is held; and why."""
        return shared.stopped(self.root, jobs, self.held())

    def find(self, key: str) -> Job | None:
        """The job of a run; None where there is none."""
        with self._open() as held:
            row = held.execute(f"select {_COLUMNS} from jobs where key = ?", (key,)).fetchone()
        return Job(*row) if row else None

    def assign(self, slot: str) -> Job | None:
        """Give the next job that may run to a slot, in one transaction; None where none may or the slot is taken."""
        return next(iter(self.assign_many(slot)), None)

    def assign_many(self, slot: str, most: Callable[[Job, int], int] = lambda job, waiting: 1) -> list[Job]:
        """Give the next job that may run to a slot, with others that can be made at once with it, in one transaction.

        `most` says how many, of a job and of how many such wait. A job that goes on from what another run keeps waits for it, as long
        as that run is to come or at work.
        """
        with self._open() as held:
            if held.execute(
                "select 1 from jobs where state = 'running' and (slot = ? or slot like ? || '/%')", (slot, slot)
            ).fetchone():
                return []
            rows = held.execute(
                f"select {', '.join('jobs.' + f.name for f in fields(Job))}, coalesce(alike, ''), coalesce(trunk, ''), "
                "coalesce(trunk_tokens, 0) from jobs left join traits using (key) "
                "where state = 'queued' order by priority desc, place"
            ).fetchall()
            no = shared.stopped(self.root, (Job(*row[:-3]) for row in rows), dict(held.execute(_HELD).fetchall()))
            may = (row for row in rows if row[0] not in no and (not row[-2] or not self._waits(held, *row[-2:])))
            if (first := next(may, None)) is None:
                return []
            like = [row for row in may if row[-3] == first[-3] and row[2] == first[2]] if first[-3] else []
            count = most(Job(*first[:-3]), 1 + len(like)) if like else 1
            chosen = [first, *like[: max(0, count - 1)]]
            for i, row in enumerate(chosen):
                held.execute(
                    "update jobs set state = 'running', slot = ?, process = '', sentence = '', started = ?, attempts = attempts + 1 "
                    "where key = ?",
                    (f"{slot}/{i}" if i else slot, now(), row[0]),
                )
        return [job for row in chosen if (job := self.find(row[0]))]

    def _waits(self, held: sqlite3.Connection, trunk: str, tokens: float) -> bool:
        row = held.execute(
            f"select {_COLUMNS} from jobs where key = ? and state in ('queued', 'running', 'lost')", (trunk,)
        ).fetchone()
        if row is None:
            return False
        folder = self.folder(Job(*row))
        return (folder.path / SPEC).exists() and not folder.kept(tokens).exists()

    def trunk_without_need(self, key: str) -> Folder | None:
        """The folder of the run that this one began from, where all that begin from it are done."""
        with self._open() as held:
            row = held.execute(
                f"select {_COLUMNS} from jobs where key = (select trunk from traits where key = ?) and not exists (select 1 from jobs "
                "join traits using (key) where trunk = (select trunk from traits where key = ?) and state <> 'done')",
                (key, key),
            ).fetchone()
        return self.folder(Job(*row)) if row else None

    def runs_as(self, key: str, process: str) -> None:
        """Note which process makes a run."""
        with self._open() as held:
            held.execute("update jobs set process = ? where key = ? and state = 'running'", (process, key))

    def runs_in(self, key: str, slot: str, process: str) -> None:
        """Note that a run is at work in a slot, whatever a file says that was lost and made again. Raises DataError for a slot in use."""
        with self._open() as held:
            held.execute("update jobs set state = 'running', slot = ?, process = ? where key = ?", (slot, process, key))

    def ended(self, key: str, state: str, sentence: str = "") -> None:
        """A run has left its slot: it ended, or stands in the queue again. One that has ended before stays as it was."""
        with self._open() as held:
            held.execute(
                "update jobs set state = ?, sentence = ?, slot = '', process = '', ended = ? where key = ? and state = 'running'",
                (state, sentence, now() if state != "queued" else 0.0, key),
            )
            if state != "queued":
                held.execute("delete from kills where key = ?", (key,))

    def cancel(self, keys: Iterable[str]) -> list[Job]:
        """Take runs out of the queue; those that run are returned, for whoever ends their processes."""
        running = []
        wanted = list(keys)
        with self._open() as held:
            for key in wanted:
                held.execute(
                    "update jobs set state = 'cancelled', sentence = 'Cancelled before it began.', ended = ? "
                    "where key = ? and state in ('queued', 'lost')",
                    (now(), key),
                )
                held.execute("update jobs set sentence = 'cancel' where key = ? and state = 'running'", (key,))
                row = held.execute(
                    f"select {_COLUMNS} from jobs where key = ? and state = 'running'", (key,)
                ).fetchone()
                running += [Job(*row)] if row else []
        for job in self.jobs():
            if job.key in wanted and job.state == "cancelled":
                self._say(job, "cancelled", job.sentence)
        return running

    def retry(self, keys: Iterable[str]) -> None:
        """Put runs that ended otherwise than done back in the queue; they go on from their checkpoints.

        One whose log was damaged since is made anew.
        """
        wanted = list(keys)
        again = self._emptied(set(wanted))
        with self._open() as held:
            for key in wanted:
                held.execute(
                    "update jobs set state = 'queued', sentence = '', ended = 0 where key = ? and state in "
                    "('failed', 'diverged', 'cancelled', 'lost')",
                    (key,),
                )
            for key in again:
                held.execute(
                    "update jobs set state = 'queued', sentence = '', ended = 0 where key = ? and state = 'done'",
                    (key,),
                )
        for job in self.jobs():
            if job.key in wanted and job.state == "queued":
                self._say(job, "queued")

    def _emptied(self, keys: set[str]) -> list[str]:
        """Those of these runs that are done and whose logs are damaged; their folders are emptied."""
        out = []
        for job in self.jobs():
            if job.key in keys and job.state == "done" and found.probe(self.folder(job).path).damaged:
                with contextlib.suppress(DataError, OSError):
                    self.folder(job).empty()
                    out.append(job.key)
        return out

    def forget(self, sweep: str) -> None:
        """Take a sweep and its jobs out of the queue, so that its folder can be deleted. Raises DataError while one of them runs.

        A run that another sweep has, too, is that one's from then on, with its folder, its log and its checkpoint.
        """
        with members.submitting(self.root), self._open() as held:
            rows = held.execute(f"select {_COLUMNS} from jobs where sweep = ?", (sweep,)).fetchall()
            mine = [Job(*row) for row in rows]
            if any(job.state == "running" for job in mine):
                raise DataError(f"A run of {sweep} is at work; cancel it first.")
            if mine and (damaged := found.unread_lists(self.root, sweep)):
                raise DataError(
                    f"{damaged[0]} So it is not known whether a run of {sweep} is another sweep's, too, and nothing is deleted."
                )
            sweeps = shared.having(self.root, mine)
            for job in mine:
                if len(sweeps[job.key]) > 1:
                    self._hand_over(held, job, sweeps[job.key][1])
            held.execute("delete from jobs where sweep = ?", (sweep,))
            held.execute("delete from sweeps where name = ?", (sweep,))
            held.execute("delete from given_up where name = ?", (sweep,))

    def _hand_over(self, held: sqlite3.Connection, job: Job, sweep: str) -> None:
        """Have a run that does not run lie in another sweep that has it."""
        there = self.root / sweep / job.key
        if found.is_run(self.folder(job).path):
            try:
                self.folder(job).path.rename(there)
            except OSError as error:
                raise DataError(
                    f"{self.folder(job).path}, which {sweep} has, too, cannot be moved there: {error}."
                ) from None
        held.execute("update jobs set sweep = ?, name = ? where key = ?", (sweep, job.key, job.key))
        keep(held, self.root, [sweep])

    def _say(self, job: Job, state: str, sentence: str = "") -> None:
        """Have a job's folder say how it stands, where it says that it has ended, or nothing that counts any more."""
        folder = self.folder(job)
        with contextlib.suppress(DataError, OSError):
            status = folder.status
            if status.state not in ("done", "running"):
                folder.say(replace(status, state=state, sentence=sentence, process=""))

    def prioritise(self, keys: Iterable[str], priority: int) -> None:
        """Jobs of a higher priority go first."""
        wanted = list(keys)
        with self._open() as held:
            held.executemany("update jobs set priority = ? where key = ?", [(priority, key) for key in wanted])
            rows = [held.execute("select sweep from jobs where key = ?", (key,)).fetchone() for key in wanted]
            keep(held, self.root, sorted({row[0] for row in rows if row}))

    def hold(self, sweep: str, why: str) -> None:
        """Start no more jobs of a sweep, for this reason."""
        with self._open() as held:
            held.execute(
                "insert into sweeps (name, held) values (?, ?) on conflict (name) do update set held = excluded.held",
                (sweep, why),
            )
            keep(held, self.root, [sweep])

    def release(self, sweep: str) -> None:
        """Let a sweep go on."""
        with self._open() as held:
            held.execute("update sweeps set held = '', fast = 0 where name = ?", (sweep,))
            held.execute("delete from given_up where name = ?", (sweep,))
            keep(held, self.root, [sweep])

    def give_up(self, sweep: str) -> None:
        """Note that all of a sweep was cancelled: it asks for no run any more, until it is submitted or made to go on again."""
        with self._open() as held:
            held.execute("insert or ignore into given_up values (?)", (sweep,))
            keep(held, self.root, [sweep])

    def given_up(self) -> set[str]:
        """The sweeps of which all was cancelled."""
        with self._open() as held:
            return {name for (name,) in held.execute("select name from given_up")}

    def held(self) -> dict[str, str]:
        """The sweeps that are held, and why."""
        with self._open() as held:
            return dict(held.execute(_HELD).fetchall())

    def fast_failures(self, sweep: str, *, failed: bool) -> int:
        """Count a job of a sweep that failed within seconds, or begin anew after one that did not; returns the count."""
        with self._open() as held:
            held.execute(
                "update sweeps set fast = case when ? then fast + 1 else 0 end where name = ?", (failed, sweep)
            )
            row = held.execute("select fast from sweeps where name = ?", (sweep,)).fetchone()
        return int(row[0]) if row else 0

    def killed(self, key: str, *, again: bool) -> int:
        """Count that a run's process was killed before it kept anything new, or begin anew after one that did; returns the count."""
        with self._open() as held:
            held.execute("insert or ignore into kills values (?, 0)", (key,))
            held.execute("update kills set times = case when ? then times + 1 else 0 end where key = ?", (again, key))
            (times,) = held.execute("select times from kills where key = ?", (key,)).fetchone()
        return int(times)

    def rebuild(self) -> int:
        """Queue what the folders hold and the file does not, each as its folder says it stands; returns how many there were.

        One that lies in another sweep than it did is followed there. A file that was lost is made so by whoever opens it next.
        """
        listed = rebuild.entries(self.root)
        with self._open(anew=False) as held:
            held.execute(f"pragma user_version = {BUILT}")
            return rebuild.put(held, self.root, listed)


def _remedy(fault: str) -> str:
    """What to do about a queue's file that cannot be used."""
    if "locked" in fault:
        return "Another process has it; try again when that has ended."
    if "full" in fault:
        return "Make room on the disk; runs at work go on."
    return "Remove it if it stays so: it is made again from the folders of the runs."
