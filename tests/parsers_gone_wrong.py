"""Readers that misbehave, to show that the child process holds them."""

from __future__ import annotations

import os
import time

from litsearch.errors import Refused
from litsearch.reading.source import Limits, SourceFile
from litsearch.records import Block, Document, Metadata, Repair


class _Reader:
    name = "wrong"
    version = 1

    def recognises(self, file: SourceFile) -> bool:
        return True


class Hangs(_Reader):
    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        while True:
            time.sleep(0.01)


class Eats(_Reader):
    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        hoard = []
        while True:
            hoard.append(bytearray(100_000_000))


class Crashes(_Reader):
    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        os.abort()


class Fails(_Reader):
    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        raise IndexError("a fault of its own")


class Refuses(_Reader):
    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        raise Refused("holds nothing of use.")


class Nests(_Reader):
    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        return self.read(file, limits)


class Prints(_Reader):
    """Well-behaved but talkative; what it returns names the process that it ran in."""

    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        print("as parsers like to do" * 1000)
        os.write(1, b"also past Python")
        text = f"{file.content.decode()} {os.getpid()} {len(file.sidecar or b'')}"
        metadata = Metadata("T\u00eftle", authors=("A", "B"), year=2020)
        return [Document(file.path, file.path, text, (Block("paragraph", 0, 2, 1, 7),), metadata, (Repair("a", 2, "b"),))]
