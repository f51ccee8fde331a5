# shellcheck shell=sh
# What `pulumi up` starts: hands the plan to a runner of its own session, follows its log, takes its result.

deploy() {
  state_dir || return 1
  run=$state/runs/$(date +%Y%m%d-%H%M%S)-$$
  mkdir -p "$run" && cp "$0" "$run/script" && : >"$run/log" || return 1
  # setsid: a connection that drops must not take the runner along.
  setsid sh "$run/script" run_plan "$run" </dev/null >"$run/log" 2>&1 &
  runner=$!
  follow "$run" $runner
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
