# shellcheck shell=bash
# Sets the environment for builds. Scripts source this file.
#
# Adds rustup's directory to PATH, and uses a compiler cache if there is one. All clones share the
# user's cache (CCACHE_DIR or ccache's default), because paths in it are relative to the clone.
# CMake reads the launchers when it configures a build tree for the first time.
#
# Must not depend on: what is built.

PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  # Keeps the paths of the clone and of the working directory out of the cache's keys.
  CCACHE_BASEDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  export CCACHE_BASEDIR CCACHE_NOHASHDIR=1
  # Objects of all presets and four gRPC versions take 1 GB.
  export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}
fi

# format_seconds <seconds>: prints minutes and seconds.
format_seconds() {
  printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# cache_dir <clone>: prints the directory for downloads: the first of these that is writable.
cache_dir() {
  local dir
  for dir in "${STEER_CACHE_DIR-}" "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/steer}" \
    "${HOME:+$HOME/.cache/steer}" "$1/build/cache"; do
    if [[ -n $dir ]] && mkdir -p "$dir" 2>/dev/null && [[ -w $dir ]]; then
      echo "$dir"
      return
    fi
  done
  return 1
}
