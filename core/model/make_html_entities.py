#!/usr/bin/env python3
"""Writes html_entities.inc: the named character references of HTML 5 (https://html.spec.whatwg.org/#named-character-references,
as in Python's html.entities) and the upper-case spellings that ftfy 6.3 reads besides.

    python3 core/model/make_html_entities.py > core/model/html_entities.inc

Each entry is X("name", "text in UTF-8"), sorted by name. Names end in ";" unless HTML also allows them without; names
of kUpperCaseEntities are known to ftfy only.
"""

import html
import html.entities


def literal(text: str) -> str:
    """A C++ string literal; escapes are octal because a hexadecimal one would swallow digits that follow it."""
    return '"' + "".join(chr(b) if 32 < b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()) + '"'


def upper_case_entities() -> dict[str, str]:
    """'NTILDE;' -> 'Ñ' for every reference in lower case whose upper-case spelling means nothing in HTML."""
    result = {}
    for name, text in html.entities.html5.items():
        if name.endswith(";") and name == name.lower():
            upper = name.upper()
            if html.unescape("&" + upper) == "&" + upper:
                result[upper] = text.upper()
    return result


def table(name: str, entries: dict[str, str]) -> list[str]:
    lines = [f"inline constexpr HtmlEntity {name}[] = {{"]
    line = "   "
    for key in sorted(entries):
        entry = f" {{{literal(key)}, {literal(entries[key])}}},"
        if len(line) + len(entry) > 116:
            lines.append(line)
            line = "   "
        line += entry
    return [*lines, line, "};"]


def main() -> None:
    print("// Made by make_html_entities.py; do not edit.")
    print("\n".join(table("kHtml5Entities", dict(html.entities.html5))))
    print("\n".join(table("kUpperCaseEntities", upper_case_entities())))


main()
