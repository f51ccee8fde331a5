# shellcheck shell=sh
# budget: what a release may cost its visitors, where more is a failure (config: budget.level fail). Comes before `record`, so
# that there is something to go back to. Where it is only a warning, the runner says it at the end.

do_budget() {
  met_count
  over=$(over_budget)
  [ -n "$over" ] || return 0
  say "$over"
  return 1
}
undo_budget() { :; }

# over_budget: a line for each limit that was passed; none: all is well. A service that answered 5xx before the release as
# often as now is not the release's fault.
over_budget() {
  # shellcheck disable=SC2046 # plain words
  set -- $(payload_value budget)
  [ $# = 4 ] || return 0
  awk -v failed="$2" -v gap="$3" -v seconds="$4" -v spent="$(($(now) - met_began))" '
    { value[$1] = $2; second[$1] = $3; third[$1] = $4 }
    END {
      usual = value["met-before"] > 0 ? second["met-before"] / value["met-before"] * value["visitors"] : 0
      more = value["errors"] - usual
      lost = value["failed"] + second["probed"] + (more > 0 ? int(more + 0.5) : 0)
      if (failed != "-" && lost > failed) printf "over budget: %d requests failed, budget.failed is %d\n", lost, failed
      if (gap != "-" && third["probed"] + 0 > gap + 0) printf "over budget: %s s without an answer, budget.gap is %s s\n", third["probed"], gap
      if (seconds != "-" && spent > seconds * 100) printf "over budget: %.1f s, budget.seconds is %s\n", spent / 100, seconds
    }' "$run/met" 2>/dev/null
}
