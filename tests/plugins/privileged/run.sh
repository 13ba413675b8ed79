#!/bin/sh
# Checks that a program with more rights than the user who starts it loads no library that the
# user's environment names: run.sh <client> <library>. Exits with 77 if this cannot be tested. It
# needs root, or a user who is in two groups.
set -eu

client=$1
library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
# All users can read the copies, whatever the rights of the build tree are.
cp "$client" "$work/client"
cp "$library" "$work/loud.so"
chmod 755 "$work/client" "$work/loud.so"

skip() {
  echo "skipped: $1"
  exit 77
}

# The library must be loaded without more rights. Otherwise the test below shows nothing.
plain=$(STEER_PLUGINS="$work/loud.so" "$work/client")
case $plain in
  *privileged=0*loaded*) ;;
  *) echo "without more rights, the library is not loaded: $plain"; exit 1 ;;
esac

if [ "$(id -u)" = 0 ]; then
  command -v setpriv > /dev/null || skip "there is no setpriv (util-linux) to change the user with"
  chmod u+s "$work/client"
  as_user="setpriv --reuid=65534 --regid=65534 --clear-groups"
else
  group=$(id -G | tr ' ' '\n' | grep -vx "$(id -g)" | head -n 1)
  [ -n "$group" ] || skip "the user $(id -un) is not root, and is in only one group"
  chgrp "$group" "$work/client" && chmod g+s "$work/client" || skip "chgrp does not work here"
  as_user=
fi
# shellcheck disable=SC2086 # several words, or none
privileged=$(STEER_PLUGINS="$work/loud.so" $as_user "$work/client")
case $privileged in
  *privileged=0*) skip "the file system of $work ignores setuid and setgid" ;;
  *loaded*) echo "the user's library was loaded: $privileged"; exit 1 ;;
  *status=0*) echo "ok: nothing was loaded" ;;
  *) echo "unexpected: $privileged"; exit 1 ;;
esac
