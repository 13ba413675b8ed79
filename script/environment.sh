# The environment that every script builds in. Sourced by the scripts.
#
# Finds Rust where rustup puts it, and a compiler cache if there is one. The cache is the user's
# (CCACHE_DIR or ccache's own default), shared by all clones: paths in it are relative to the clone.
# CMake reads the launchers when it configures a build tree for the first time.
#
# Must not depend on: what is built.

PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  # Neither the clone's place nor the working directory may make the same file look new.
  CCACHE_BASEDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  export CCACHE_BASEDIR CCACHE_NOHASHDIR=1
  # Objects of all presets and four gRPC versions take 1 GB.
  export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}
fi

# format_seconds <seconds>: as minutes and seconds, for people.
format_seconds() {
  printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}
