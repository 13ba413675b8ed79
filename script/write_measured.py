"""Replaces the text between two marks of a document with measured results.

Usage: write_measured.py DOCUMENT NAME TEXT_FILE

The marks are <!-- measured NAME --> and <!-- /measured -->. Must not depend on: the content of the
text.
"""

import pathlib
import re
import sys

document, name, text_file = sys.argv[1:]
path = pathlib.Path(document)
text = pathlib.Path(text_file).read_text(encoding="utf-8").strip()
begin = f"<!-- measured {name} -->"
page, found = re.subn(
    rf"({re.escape(begin)}\n).*?(<!-- /measured -->)",
    lambda match: f"{match[1]}\n{text}\n\n{match[2]}",
    path.read_text(encoding="utf-8"),
    flags=re.S,
)
if found != 1:
    marks = f"{begin} ... <!-- /measured -->"
    sys.exit(f"{document}: {marks} must occur once, but occurs {found} times")
path.write_text(page, encoding="utf-8")
