#!/usr/bin/env bash
# Whether a libsteer.so exports what include/steer/symbols.txt lists, no more and no less.
# usage: symbols.sh LIBRARY LIST
set -euo pipefail
diff --unified --label "listed in $2" --label "exported by $1" \
  "$2" <(nm --dynamic --defined-only "$1" | awk '{print $3}' | LC_ALL=C sort)
echo "the exported symbols are those of the list"
