# expect, for tests of scripts. Sourced; counts in $passed and $failed.

passed=0
failed=0

# expect <name> <0 or 1: exit status> <text>... -- <command>...: runs a command, and checks its exit
# status and its output. The output must contain each text; a text that begins with ! must be
# absent. Line breaks and repeated blanks count as one blank, because CMake wraps its messages.
expect() {
  local name=$1 wanted=$2 output status=0 texts=() text wrong=""
  shift 2
  while [[ $1 != -- ]]; do
    texts+=("$1")
    shift
  done
  shift
  output=$("$@" 2>&1) || status=1
  local words
  words=$(tr -s ' \n' ' ' <<<"$output")
  for text in "${texts[@]}"; do
    if [[ $text == !* ]]; then
      [[ $words != *"${text#!}"* ]] || wrong+="; the output contains: ${text#!}"
    else
      [[ $words == *"$text"* ]] || wrong+="; the output lacks: $text"
    fi
  done
  if [[ $status -eq $wanted && -z $wrong ]]; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    echo "FAIL  $name: exit status $status$wrong"
    sed 's/^/      /' <<<"$output"
  fi
}
