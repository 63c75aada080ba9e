"""Sealing of what is personal, and keyed hashes to find it again; it must never print a key or what it opened.

Text is sealed with Fernet (the first of ENCRYPTION_KEY seals, all open). A blind index is HMAC-SHA256 with
INDEX_KEY, which does not rotate with it: otherwise nobody would be found again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection

_INFO_KEY = "wegwijs_vault"
_RECENT_MOST = 4096  # what is sealed is opened a moment later by who sends it; where to send is opened each time
_SHORT = 4000
_MEANT_MOST = 2048

Meaning = TypeVar("Meaning")


class SealedError(Exception):
    """What is stored was sealed with a key that is not in ENCRYPTION_KEY: put the old key back behind the new one."""


class Vault:
    """The keys of one installation."""

    def __init__(self, encryption_keys: Sequence[str], index_key: bytes) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in encryption_keys])
        self._index_key = index_key
        self._recent: dict[bytes, str] = {}
        self._meant: dict[bytes, object] = {}

    def seal(self, text: str, means: object = None) -> bytes:
        """Text of any length, sealed. A lone surrogate (a broken phone) becomes "?" and loses nothing else.

        `means`: what `open_as` makes of the text; it need not be read again when it is opened a moment later.
        """
        plain = text.encode("utf-8", "replace")
        sealed = self._fernet.encrypt(plain)
        if means is None or len(text) > _SHORT:
            self._remember(sealed, plain.decode())
        else:
            if len(self._meant) >= _MEANT_MOST:
                self._meant.clear()
            self._meant[sealed] = means
        return sealed

    def open_as(self, sealed: bytes, read: Callable[[str], Meaning]) -> Meaning:
        """What the text means, as `read` has it. Raises SealedError if no key fits."""
        means = self._meant.pop(sealed, None)
        return read(self.unseal(sealed)) if means is None else cast("Meaning", means)

    def unseal(self, sealed: bytes) -> str:
        """The text again. Raises SealedError if no key fits."""
        recent = self._recent.get(sealed)
        if recent is not None:
            return recent
        try:
            text = self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            msg = "sealed with a key that is not in WEGWIJS_ENCRYPTION_KEY; add the old key behind the new one"
            raise SealedError(msg) from None
        self._remember(sealed, text)
        return text

    def _remember(self, sealed: bytes, text: str) -> None:
        if len(text) <= _SHORT:
            if len(self._recent) >= _RECENT_MOST:
                self._recent.clear()
            self._recent[sealed] = text

    def blind_index(self, kind: str, value: str) -> bytes:
        """A keyed hash (32 bytes) of a value; the same for the same value and kind, telling nothing else."""
        return hmac.digest(self._index_key, f"{kind}\0{value}".encode("utf-8", "replace"), hashlib.sha256)


def attach(db: Connection, vault: Vault) -> None:
    """Give a connection the keys; done by `database` for each connection it opens."""
    db.info[_INFO_KEY] = vault


def vault_of(db: Connection) -> Vault:
    """The keys that `attach` gave."""
    vault: Vault = db.info[_INFO_KEY]
    return vault


def seal(db: Connection, text: str, means: object = None) -> bytes:
    """Text sealed with the keys of this database. `means`: as in `Vault.seal`."""
    return vault_of(db).seal(text, means)


def open_as(db: Connection, sealed: bytes | None, read: Callable[[str], Meaning]) -> Meaning:
    """What the text means, as `read` has it; nothing stored is the empty text. Raises SealedError."""
    return read("") if sealed is None else vault_of(db).open_as(bytes(sealed), read)


def unseal(db: Connection, sealed: bytes | None) -> str:
    """The text again; nothing stored is the empty text. Raises SealedError."""
    return "" if sealed is None else vault_of(db).unseal(bytes(sealed))


def blind_index(db: Connection, kind: str, value: str) -> bytes:
    """A keyed hash of a value."""
    return vault_of(db).blind_index(kind, value)
