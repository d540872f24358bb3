"""Reads and writes the case files: a small, strict subset of YAML.

A file is a list of mappings, or one mapping. A value is a mapping, an integer, a bare word, a string in
JSON's double quotes, or a literal block (`|`, `|-`, `|+`, each with an optional indentation digit).
Every file written here is read back to the same data by this reader and by any YAML 1.2 reader.
"""

import json
import re

BARE = re.compile(r"(?:[A-Za-z_/]|\.(?=[A-Za-z_/]))[A-Za-z0-9_./+-]*\Z")
# Words that a YAML reader takes for something other than a string.
RESERVED = re.compile(r"(?i)(true|false|yes|no|on|off|null|y|n|\.nan|\.inf|~)\Z")
# What a literal block can hold; the rest goes between double quotes with escapes.
BLOCK = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*\\Z")
HEADER = re.compile(r"\|([1-9]?)([+-]?)\Z")
KEY = re.compile(r'( *)("(?:[^"\\]|\\.)*"|[^\s":#-][^\s":]*):(?: (.*))?\Z')


class FormatError(Exception):
    """A line that is outside of the subset."""


def scalar_text(value):
    """Returns a string as one line."""
    if BARE.match(value) and not RESERVED.match(value):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        character
        if BLOCK.match(character)
        else "\\u%04x" % ord(character)
        for character in text
    )


def value_lines(value, indent):
    """Returns what follows the colon of a key: the rest of its line, then further lines."""
    if isinstance(value, dict):
        return [" {}"] if not value else [""] + mapping_lines(value, indent + 2)
    if isinstance(value, int):
        return [" %d" % value]
    if "\n" not in value or not BLOCK.match(value) or not value.strip("\n"):
        return [" " + scalar_text(value)]
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    chomp = "-" if ends == 0 else "" if ends == 1 else "+"
    # A first line that is empty or starts with white space would hide how deep the block stands.
    digit = "2" if body[0] in " \t\n" else ""
    lines = body.split("\n") + [""] * (ends - 1)
    pad = " " * (indent + 2)
    return [" |" + digit + chomp] + [pad + line if line else "" for line in lines]


def mapping_lines(mapping, indent):
    lines = []
    for key, value in mapping.items():
        first, *rest = value_lines(value, indent)
        lines.append(" " * indent + scalar_text(key) + ":" + first)
        lines.extend(rest)
    return lines


def write(data):
    """Returns the text of a list of mappings, or of one mapping."""
    if isinstance(data, dict):
        text = "\n".join(mapping_lines(data, 0)) + "\n"
    else:
        parts = []
        for case in data:
            lines = mapping_lines(case, 2)
            lines[0] = "- " + lines[0][2:]
            parts.append("\n".join(lines) + "\n")
        text = "\n".join(parts)
    if read(text) != data:
        raise FormatError("what was written does not read back")
    return text


class Reader:
    def __init__(self, text):
        self.lines = text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        self.at = 0

    def error(self, what):
        return FormatError("line %d: %s" % (self.at + 1, what))

    def skip_blank(self):
        while self.at < len(self.lines):
            line = self.lines[self.at].lstrip(" ")
            if line and not line.startswith("#"):
                return True
            self.at += 1
        return False

    def sequence(self):
        items = []
        while self.skip_blank():
            line = self.lines[self.at]
            if not line.startswith("- "):
                raise self.error("expected `- `")
            self.lines[self.at] = "  " + line[2:]
            items.append(self.mapping(2))
        return items

    def mapping(self, indent):
        result = {}
        while self.skip_blank():
            line = self.lines[self.at]
            depth = len(line) - len(line.lstrip(" "))
            if depth < indent:
                break
            match = KEY.match(line)
            if not match or depth != indent:
                raise self.error("expected a key %d columns deep" % indent)
            key = json.loads(match[2]) if match[2].startswith('"') else match[2]
            if key in result:
                raise self.error("second `%s`" % key)
            self.at += 1
            result[key] = self.value(match[3], indent)
        return result

    def value(self, text, indent):
        if text is None:
            return self.mapping(indent + 2)
        if text == "{}":
            return {}
        if re.match(r"-?[0-9]+\Z", text):
            return int(text)
        if text.startswith('"'):
            return json.loads(text)
        if text.startswith("|"):
            return self.block(text, indent)
        if BARE.match(text) and not RESERVED.match(text):
            return text
        raise self.error("quote this value")

    def block(self, header, indent):
        match = HEADER.match(header)
        if not match:
            raise self.error("unknown header of a block")
        pad = " " * (indent + 2)
        lines = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith(pad):
                lines.append(line[len(pad):])
            elif line.strip(" ") == "":
                lines.append("")
            else:
                break
            self.at += 1
        ends = 0
        while lines and lines[-1] == "":
            lines.pop()
            ends += 1
        body = "\n".join(lines)
        if match[2] == "-":
            return body
        return body + "\n" * (1 + ends if match[2] == "+" else 1)


def read(text):
    """Returns the list of mappings, or the mapping, that a text holds."""
    reader = Reader(text)
    if not reader.skip_blank():
        return []
    if reader.lines[reader.at].startswith("- "):
        return reader.sequence()
    return reader.mapping(0)
