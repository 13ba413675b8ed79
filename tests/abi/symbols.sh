#!/usr/bin/env bash
# Checks that a libsteer.so exports exactly the symbols that include/steer/symbols.txt lists.
# usage: symbols.sh LIBRARY LIST
set -euo pipefail
diff --unified --label "listed in $2" --label "exported by $1" \
  "$2" <(nm --dynamic --defined-only "$1" | awk '{print $3}' | LC_ALL=C sort)
echo "the exported symbols are those of the list"
