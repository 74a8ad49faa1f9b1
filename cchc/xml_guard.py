"""XML from outside, looked at before it is parsed."""

from __future__ import annotations

from contextlib import suppress
from xml.parsers import expat


class _Decided(Exception):
    pass


def has_document_type(part: bytes) -> bool:
    """Whether a part begins with a DOCTYPE, in any encoding; reads no further than its first element.

    Office and OpenDocument files have none: one that has is made to harm its reader, by entities that grow or that name
    files. Raises expat.ExpatError for what is no XML.
    """
    found = False

    def declared(*_: object) -> None:
        nonlocal found
        found = True
        raise _Decided

    def begun(*_: object) -> None:
        raise _Decided

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = begun
    with suppress(_Decided):
        parser.Parse(part, True)
    return found
