"""What goes wrong is named by what to do about it, the same by both engines, and tells nobody the token."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from typing import Any

import pytest

from bot.channel import (
    ChannelError,
    ChatMovedError,
    Fault,
    NotSentError,
    Outgoing,
    RejectedError,
    Sent,
    StopPollingError,
    ThrottledError,
    TopicGoneError,
    UnknownOutcomeError,
    UnreachableError,
)
from bot.telegram import calls
from simulator import server
from simulator.client import Phone
from tests.telegram.conftest import PATIENCE, TOKEN, made

SECRET = TOKEN.partition(":")[2]


@pytest.fixture
async def hasty(name, running):
    """An engine with little patience: only where the answer is late, since a busy machine is late too."""
    opened = made(name, running.url, seconds=0.3)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("403", UnreachableError),
        ("429:7", ThrottledError),
        ("reset", UnknownOutcomeError),
        ("drop_reply", UnknownOutcomeError),
        ("slow:0.6", UnknownOutcomeError),
        ("accept_slow:0.6", UnknownOutcomeError),
        ("slow_headers:0.6", UnknownOutcomeError),
        ("502_json", UnknownOutcomeError),
        ("502_html", UnknownOutcomeError),
        ("accept_502_json", UnknownOutcomeError),
        ("accept_502_html", UnknownOutcomeError),
        ("400:can't parse entities", RejectedError),
        ("400:chat not found", UnreachableError),
        ("400:message thread not found", TopicGoneError),
        ("400:TOPIC_DELETED", TopicGoneError),
    ],
)
@pytest.mark.parametrize("action", ["text", "document"])
async def test_each_fault_has_its_error(fault, error, action, engine, hasty, amina, running):
    running.world.faults.add([{"method": "*", "fault": fault}])
    with pytest.raises(ChannelError) as raised:
        await (hasty if "slow" in fault else engine).send(
            Outgoing(action, amina.id, text="Dag", content=b"1", name="a.pdf")
        )
    assert type(raised.value) is error
    assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"
    if isinstance(raised.value, ThrottledError):
        assert raised.value.retry_after == 7
    assert isinstance(await engine.send(Outgoing("text", amina.id, text="Toch")), Sent)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("edit", "message is not modified: specified new message content is the same"),
        ("buttons", "message is not modified"),
        ("delete", "message to delete not found"),
        ("topic_edit", "TOPIC_NOT_MODIFIED"),
    ],
)
async def test_what_is_so_already_counts_as_done(action, words, engine, group, running):
    running.world.faults.add([{"method": "*", "fault": f"400:{words}"}])
    assert await engine.send(Outgoing(action, group, thread=5, message_id=5, text="a", title="a")) == Sent()


async def test_nobody_listens_so_nothing_was_sent(name):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        engine = made(name, f"http://127.0.0.1:{held.getsockname()[1]}")
        for action in ("text", "document"):
            with pytest.raises(NotSentError) as raised:
                await engine.send(Outgoing(action, 5, text="Dag", content=b"1", name="a"))
            assert SECRET not in repr(raised.value)
        await engine.close()


async def test_telegram_is_away_and_comes_back(engine, amina, running):
    await running.refuse()
    with pytest.raises((NotSentError, UnknownOutcomeError)):
        await engine.send(Outgoing("text", amina.id, text="weg"))
    with pytest.raises(NotSentError):
        await engine.send(Outgoing("text", amina.id, text="weg"))
    await running.reopen()
    await engine.send(Outgoing("text", amina.id, text="terug"))
    assert [one.text for one in await amina.messages() if not one.own] == ["terug"]


async def test_a_group_that_moved_says_where_to(engine, group, running):
    running.world.faults.add([{"method": "sendmessage", "fault": "migrate"}])
    with pytest.raises(ChatMovedError) as raised:
        await engine.send(Outgoing("text", group, text="Dag"))
    assert raised.value.new_chat == running.world.state.staff_id != group
    await engine.send(Outgoing("text", raised.value.new_chat, text="Dag"))


async def test_a_topic_deleted_by_hand(engine, group, client):
    topic = (await engine.send(Outgoing("topic_create", group, title="Zaak"))).thread
    await client.post(f"topics/{topic}/delete")
    for action in ("text", "topic_edit", "topic_close"):
        with pytest.raises(TopicGoneError):
            await engine.send(Outgoing(action, group, thread=topic, text="Dag", title="Andere"))


async def test_who_blocked_us_is_unreachable(engine, amina):
    await amina.do("block")
    with pytest.raises(UnreachableError):
        await engine.send(Outgoing("text", amina.id, text="Dag"))


async def test_an_action_nobody_knows_is_refused(engine):
    with pytest.raises(RejectedError):
        await engine.send(Outgoing("dance", 5))  # type: ignore[arg-type]


async def test_a_token_that_telegram_does_not_know(name, running):
    running.world.token = "1:another"
    engine = made(name, running.url)
    with pytest.raises(StopPollingError) as raised:
        await engine.open()
    (fault,) = await engine.inspect(-5)
    await engine.close()
    assert "WEGWIJS_TELEGRAM_TOKEN" in str(raised.value)
    assert isinstance(fault, Fault)
    assert SECRET not in f"{raised.value} {fault.what}"


LONG = "Een alinea. " * 500


async def long_text(engine: Any, amina: Phone, running: server.Running, fault: str) -> tuple[object, int]:
    """Send a long text whose second part meets a fault."""
    world = running.world

    async def trap() -> None:
        await world.bells.until("accepts", lambda: True if world.figures.accepts else None, PATIENCE)
        world.faults.add([{"method": "sendmessage", "fault": fault}])

    try:
        sent: object
        sent, _ = await asyncio.gather(engine.send(Outgoing("text", amina.id, text=LONG)), trap())
    except ChannelError as error:
        sent = error
    return sent, len([one for one in await amina.messages() if not one.own])


async def test_a_later_part_waits_instead_of_sending_the_first_again(engine, amina, running):
    sent, arrived = await long_text(engine, amina, running, "429:1")
    assert isinstance(sent, Sent)
    assert arrived == 2


async def test_a_later_part_that_must_wait_too_long_is_unknown(engine, amina, running, monkeypatch):
    monkeypatch.setattr(calls, "_PARTS_WAIT_MOST", 5.0)
    sent, arrived = await long_text(engine, amina, running, "429:6")
    assert (type(sent), arrived) == (UnknownOutcomeError, 1)


async def test_a_later_part_that_may_have_arrived_is_unknown(engine, amina, running):
    sent, arrived = await long_text(engine, amina, running, "drop_reply")
    assert (type(sent), arrived) == (UnknownOutcomeError, 2)


async def test_the_token_is_in_no_log(name, running, amina, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    engine = made(name, running.url, seconds=0.3)
    await engine.open()
    for fault in ("reset", "slow:0.5", "502_html", "429:1", "403", "400:no"):
        running.world.faults.add([{"fault": fault}])
        with pytest.raises(ChannelError):
            await engine.send(Outgoing("text", amina.id, text="Dag"))
    await engine.presence(amina.id, None, "no-such-tap")
    await engine.close()
    shown = capfd.readouterr()
    assert SECRET not in caplog.text + shown.out + shown.err


@pytest.mark.parametrize(("engine_name", "library"), [("ptb", "aiogram"), ("aiogram", "telegram")])
def test_one_engine_does_not_import_the_other_library(engine_name, library):
    code = f"import bot.telegram.{engine_name}_engine, sys; assert {library!r} not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
