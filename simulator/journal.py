"""Append-only JSON lines on disk, read back at the next start; it must not know what the lines mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO


class Journal:
    """One JSONL file; with no path it keeps nothing (a test's world lives in memory)."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file: TextIO | None = None

    def replay(self) -> Iterator[dict[str, Any]]:
        """Every line written so far. A last line cut by a crash is removed from the file."""
        if self.path is None or not self.path.exists():
            return
        good = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                yield json.loads(line)
                good += len(line)
        with self.path.open("r+b") as file:
            file.truncate(good)

    def append(self, line: dict[str, Any]) -> None:
        """Write one line and hand it to the operating system at once: a killed simulator loses nothing."""
        if self.path is None:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file; the journal may be opened again by appending."""
        if self._file is not None:
            self._file.close()
            self._file = None
