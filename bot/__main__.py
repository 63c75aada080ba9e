"""The commands (`wegwijs` = `python -m bot`); each does one thing and says in one line what is wrong."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from bot import logs
from bot.catalogs import CatalogError
from bot.channel import StopPollingError
from bot.settings import SettingsError, load
from bot.storage.copies import CopyError
from bot.teaching import TeachingError
from bot.topics import PackError

P = ParamSpec("P")


def mend(command: Callable[P, None]) -> Callable[P, None]:
    """What the person at the keyboard can mend is said in plain lines, without a traceback; exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (SettingsError, PackError, CatalogError, CopyError, StopPollingError, TeachingError) as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Wegwijs: a multilingual messaging bot that a city gives to people who have just arrived in it."""


@main.command()
@click.option("--file", "path", default=".env", type=click.Path(path_type=Path), help="Where to write.")
@mend
def init(path: Path) -> None:
    """Write `.env` with every key, and make the secret keys. An existing file is never changed."""
    from bot import env_file

    click.echo(env_file.write(path))


@main.command()
@click.option("--webhook", is_flag=True, help="Telegram posts the updates to WEGWIJS_WEBHOOK_URL.")
@mend
def run(webhook: bool) -> None:  # noqa: FBT001 (click gives it so)
    """Run the bot: Telegram by long polling (or a webhook), as configured in the environment or `.env`."""
    from bot.app import App
    from bot.settings import missing

    settings = load()
    faults = missing(settings, token=True, webhook=webhook)
    if faults:
        raise SettingsError("\n".join(faults))
    logs.start(settings.log_level)
    logs.guard_last_words()
    asyncio.run(App(settings, webhook=webhook).serve())


@main.command()
@click.option("--port", default=8484, show_default=True, help="The port of the page.")
@click.option(
    "--data", default="var/demo", show_default=True, type=click.Path(path_type=Path), help="Where it keeps all."
)
@mend
def demo(port: int, data: Path) -> None:
    """Run everything on this machine, without a token: the page with the phones, and the real bot behind it."""
    from bot import demo as show

    show.run(port, data)


@main.command()
@mend
def check() -> None:
    """Verify token, staff group, database, catalogs, content, zone, keys, hours. One line per fault; exit code 1."""
    from bot import checks

    settings = load()
    faults = asyncio.run(checks.faults(settings))
    for fault in faults:
        click.echo(f"{fault.severity}: {fault.what}")
    errors = [fault for fault in faults if fault.severity == "error"]
    click.echo(f"{len(errors)} to mend, {len(faults) - len(errors)} to know" if faults else "All is well.")
    sys.exit(1 if errors else 0)


@main.command()
@mend
def migrate() -> None:
    """Bring the database to the tables of this release."""
    from bot.parts import make_database, only_one
    from bot.storage import migrate as steps

    settings = load()
    with only_one(settings.database_url):
        database = make_database(settings)
        try:
            before = database.read_now(steps.revision)
            database.run_now(steps.upgrade)
        finally:
            database.close()
    click.echo(f"The database was at {before or 'nothing'} and is at {steps.HEAD}.")


@main.command()
@mend
def health() -> None:
    """Ask a running bot how it is (`/healthz`). Exit code 1 if it is not well or not there."""
    settings = load()
    address = f"http://{settings.http_host}:{settings.http_port}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.load(error)
    except OSError as error:
        raise SettingsError(f"No bot answers at {address} ({error}); is it running?") from None
    click.echo(json.dumps(told, indent=2))
    sys.exit(0 if told.get("ok") else 1)


@main.command()
@click.argument("text", required=False)
@click.option("--language", default=None, help="The language the person chose, such as ar.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--jsonl", "lines", is_flag=True, help="Read lines {text, language} and write one decision per line.")
@mend
def ask(text: str | None, language: str | None, as_json: bool, lines: bool) -> None:  # noqa: FBT001 (click gives it so)
    """What the bot makes of a text: danger, language, topic, and the answer."""
    from bot import console

    if lines:
        for line in console.ask_lines(load(), sys.stdin):
            click.echo(line)
        return
    if text is None:
        raise SettingsError('expected a text, as in: wegwijs ask "where is the library"; or --jsonl and lines')
    told = console.ask(load(), text, language)
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else console.as_lines(told))


@main.command()
@click.option("--language", default="en", show_default=True, help="The language of your phone.")
@mend
def talk(language: str) -> None:
    """Talk to the bot here, as a newcomer: no Telegram, nothing is kept."""
    from bot import console

    asyncio.run(console.talk(language))


@main.group()
def content() -> None:
    """What the bot knows."""


@content.command("check")
@mend
def content_check() -> None:
    """Read the pack over: missing, stale, too long, different, doubled, hard to read. Exit code 1 on an error."""
    from bot import proofreading, topics

    pack = topics.load(load().content)
    found = proofreading.faults(pack)
    for fault in found:
        click.echo(f"{fault.severity}: {fault.what}")
    errors = [fault for fault in found if fault.severity == "error"]
    told = f"{len(errors)} to mend, {len(found) - len(errors)} to look at" if found else "All is well"
    click.echo(f"{pack.city}: {len(pack.topics)} topics in {', '.join(pack.languages)}. {told}.")
    sys.exit(1 if errors else 0)


@content.command("build")
@mend
def content_build() -> None:
    """Teach the bot what the pack says, so that it starts at once. Does nothing when nothing has changed."""
    from bot import checks, teaching, topics

    settings = load()
    pack = topics.load(settings.content)
    taught = checks.taught(settings)
    if teaching.is_fresh(pack, settings.cache, taught):
        click.echo("Nothing has changed.")
        return
    path = teaching.build(pack, settings.cache, taught)
    click.echo(f"{path}: {path.stat().st_size / 2**20:.1f} MiB, {', '.join(pack.languages)}.")


@content.command("missing")
@mend
def content_missing() -> None:
    """What the city must still fill in, most asked first."""
    from bot import checks

    settings = load()
    rows = checks.missing_values(settings)
    if not rows:
        click.echo("Everything is filled in.")
    for row in rows:
        click.echo(f"{row.asked:6} ×  {row.name:28} {row.what}  ({', '.join(row.topics)})")


@main.command()
@mend
def questions() -> None:
    """What was asked in the last seven days and not answered well, alike ones together, per language."""
    from bot import checks

    lines = checks.asked_this_week(load())
    for line in lines or ["Every question of this week was answered."]:
        click.echo(line)


@main.group()
def sessions() -> None:
    """Programmes and their sessions."""


@sessions.command("load")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--apply", "really", is_flag=True, help="Do it. Without this it only says what it would do.")
@mend
def sessions_load(file: Path | None, really: bool) -> None:  # noqa: FBT001 (click gives it so)
    """Load programmes and sessions from a YAML file (default: the pack's programmes.yaml); a dry run first."""
    from bot import checks

    for line in checks.load_sessions(load(), file, really=really):
        click.echo(line)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@mend
def backup(file: Path) -> None:
    """Write a copy of the SQLite database to a file, also while the bot runs."""
    from bot.storage import copies

    click.echo(copies.backup(load().database_url, file))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@mend
def restore(file: Path) -> None:
    """Put a backup back (the bot must not run). Who asked to be erased since then is erased again."""
    from bot import restoring

    click.echo(restoring.restore(load(), file))


if __name__ == "__main__":
    main()
