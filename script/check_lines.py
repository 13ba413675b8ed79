"""Finds lines of more than 100 columns. Reads the files' names from stdin, separated by NULs.

Ignores lines with a URL, an #include, rows of Markdown tables, measured text between the marks of
write_measured.py, generated files, and fixtures.
"""

import pathlib
import re
import sys

LIMIT = 100
IGNORED = re.compile(
    r"\.(lock|svg|png|prometheus|so)$|^NOTICE$|^include/steer/(steer\.h|symbols\.txt)$"
    r"|^fuzz/corpus/|^bench/real-calls/more\.json$"
)


def long_lines(path):
    measured = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        measured = line.startswith("<!-- measured ") or (
            measured and line != "<!-- /measured -->"
        )
        table = path.suffix in (".md", ".rs") and re.match(r"\s*(//! )?\|", line)
        include = line.startswith("#include ")
        if len(line) > LIMIT and not (measured or table or include) and "://" not in line:
            yield f"{path}:{number}: {len(line)} columns: {line.strip()[:60]}"


def main():
    names = [name for name in sys.stdin.read().split("\0") if name and not IGNORED.search(name)]
    found = [line for name in names for line in long_lines(pathlib.Path(name))]
    print("\n".join(found), end="\n" if found else "")
    print(f"{len(found)} lines have more than {LIMIT} columns")
    sys.exit(1 if found else 0)


main()
