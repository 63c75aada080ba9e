"""What an installation decides: every mistake is named at once, no secret is printed, the documents are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import env_file
from bot.__main__ import main
from bot.settings import PREFIX, Settings, SettingsError, load, missing

ROOT = Path(__file__).parent.parent
SECRET = "123456789:AAsecret-not-long-enough"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_mistakes_are_listed_at_once_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "TELEGRAM_TOKEN": SECRET,
        "DATABASE_URL": "mysql://x",
        "TIMEZONE": "Europe/Lokeren",
        "ENCRYPTION_KEY": "short",
        "INDEX_KEY": "c2hvcnQ=",
        "OFFICE_HOURS": "every day",
        "HTTP_PORT": "99999",
        "STAFF_CHAT_ID": "the group",
        "ENGINE": "carrier pigeon",
        "PACE": "fast",
    }
    for key, value in wrong.items():
        monkeypatch.setenv(PREFIX + key, value)
    with pytest.raises(SettingsError) as caught:
        load()
    lines = str(caught.value).splitlines()
    assert sorted(line.split(":")[0] for line in lines) == sorted(PREFIX + key for key in wrong)
    assert SECRET not in str(caught.value)
    assert "short" not in str(caught.value)


def test_what_is_missing_to_run_is_named() -> None:
    assert [line.split(":")[0] for line in missing(load(), token=True)] == [
        "WEGWIJS_ENCRYPTION_KEY", "WEGWIJS_INDEX_KEY", "WEGWIJS_TELEGRAM_TOKEN",
    ]  # fmt: skip


def test_a_secret_is_not_in_the_representation() -> None:
    keys = env_file.made_keys()
    shown = repr(load(**keys))
    assert not [key for key in keys.values() if key in shown]


def test_init_writes_a_file_that_can_be_used_and_never_overwrites(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["init"])
    assert told.exit_code == 0, told.output
    written = tmp_path / ".env"
    assert written.stat().st_mode & 0o077 == 0
    settings = load()
    assert missing(settings, token=False) == []
    before = written.read_text()
    again = CliRunner().invoke(main, ["init"])
    assert again.exit_code == 1
    assert "already there" in again.output
    assert written.read_text() == before
    assert not [key for key in settings.encryption_keys if key in told.output]


def test_the_example_holds_every_key_with_its_description() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_file.example(), (
        "run: .venv/bin/python -c \"from bot import env_file; print(env_file.example(), end='')\" > .env.example"
    )


def test_the_table_in_readme_is_true() -> None:
    rows = re.findall(
        r"^\| `(WEGWIJS_)?([A-Z_]+)` \| (.*?) \| (.*?) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    told = {key: (default, text) for _, key, default, text in rows}
    true = {
        name.upper(): (f"`{shown}`" if (shown := env_file.shown_default(field.default)) else "", field.description)
        for name, field in Settings.model_fields.items()
    }
    assert told == true, "\n".join(f"| `{key}` | {default} | {text} |" for key, (default, text) in true.items())


@pytest.mark.parametrize("command", [["run"], ["check"], ["migrate"]])
def test_a_command_without_settings_says_what_is_missing(command: list[str]) -> None:
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 1
    assert "WEGWIJS_ENCRYPTION_KEY" in told.output
    assert "Traceback" not in told.output
