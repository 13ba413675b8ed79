#!/usr/bin/env bash
# Checks that Rust libraries export only their blocks.
#
# Usage: symbols.sh <plugin> <program with linked pickers>
set -euo pipefail

expect() {
  if [[ $2 != "$3" ]]; then
    echo "$1: $2, and not $3"
    exit 1
  fi
}
# Without the symbols that the linker defines.
expect "the plugin exports" "$(nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }' | xargs)" \
  steer_plugin_block
expect "blocks in the program" \
  "$(nm --defined-only "$2" | awk '/steer_plugin_block/ { print $3 }' | sort | xargs)" \
  "steer_plugin_block_rust_test_not_last_attempt steer_plugin_block_rust_test_sticky_session"
