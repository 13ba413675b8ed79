#!/bin/sh
# Checks that the plugin exports no function of steer.hpp. The exceptions are those that compilers
# make: constructors, destructors and assignments, in the namespace of the release.
#
#   symbols.sh <nm> <plugin>
exported=$("$1" --dynamic --defined-only "$2" | cut -d' ' -f3 | grep -E '^_ZG?V?NK?5steer' |
  grep -vE '13release_[0-9_]+.*([CD][0-3]E|aSE|6detail6engineE$)')
[ -z "$exported" ] || { echo "$2 exports:"; echo "$exported"; exit 1; }
