# shellcheck shell=sh
# What `pulumi up` starts: hands the plan to a runner of its own session, follows its log, takes its result.
#
#   ssh -> deploy (follows the log)
#   session of its own: guard -> runner (host/run/run.sh)

deploy() {
  state_dir || return 1
  run=$state/runs/$(date +%Y%m%d-%H%M%S)-$$
  mkdir -p "$run" && cp "$0" "$run/script" && : >"$run/log" || return 1
  # setsid: a connection that drops must not take the runner along.
  setsid sh "$run/script" guard "$run" </dev/null >"$run/log" 2>&1 &
  runner=$!
  follow "$run" $runner
}

# guard RUN: a runner that is killed in the middle (by hand, or by a kernel that needs memory) is not left like that.
# What it had done is taken back at once, not at the next release: requests may be waiting for the successor of a
# container that it stopped.
guard() {
  sh "$1/script" run_plan "$1" &
  # Some shells say "Killed" here.
  { wait $!; } 2>/dev/null
  code=$?
  [ $code -gt 1 ] && [ ! -f "$1/result" ] || return $code
  say "the runner on the host was killed"
  recover "$1"
  echo 1 | replace_file "$1/result" 2>/dev/null
  return 1
}

# follow RUN PID: prints the log as it grows until the result is there.
follow() {
  shown=0
  while :; do
    if [ -f "$1/result" ]; then ended=yes; elif kill -0 "$2" 2>/dev/null; then ended=no; else ended=died; fi
    size=0
    if [ -f "$1/log" ]; then size=$(wc -c <"$1/log"); fi
    if [ "$size" -gt "$shown" ]; then
      tail -c +$((shown + 1)) "$1/log" | head -c $((size - shown))
      shown=$size
    fi
    case $ended in
      yes) return "$(cat "$1/result")" ;;
      died)
        [ -f "$1/result" ] && continue
        # A teardown that waited for this release has removed its folder already: the runner's own exit code tells.
        wait "$2"
        code=$?
        [ $code -gt 1 ] || return $code
        say "the runner on the host was killed. Run 'pulumi up' again: it first puts right what was left half done."
        return 1
        ;;
    esac
    rest 0.1
  done
}
