# shellcheck shell=sh
# What a run writes down on the host: its journal, what was there before, and what it made and used.

# A little of the disk, so that a release which fails because it is full can still be taken back, and say so.
keep_reserve() { cat "$0" "$0" >"$run/reserve"; }
use_reserve() {
  full=no
  head -c 8192 "$0" 2>/dev/null >"$run/probe" || full=yes
  rm -f "$run/probe" "$run/reserve"
  [ $full = no ] || say "the host's disk is full: free space there ('docker builder prune'), then run 'pulumi up' again"
}

# What served before this run: verbs after `record` still have to find what they tidy away.
keep_before() { [ ! -f "$state/current" ] || cp "$state/current" "$run/before"; }

open_journal() { say "run $run" | replace_file "$state/journal"; }

# journal_begin STEP VERB ARGUMENTS: no verb is done that the journal does not know.
journal_begin() { say "begin $*" >>"$state/journal"; }

# Every container and image of this release, with how often it was made: facts.sh finds by it what is gone. An image
# is remembered by its ID, so that another one under its tag is noticed.
remember_objects() {
  docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' "$(payload_value images)/*" >"$run/images"
  {
    cat "$state/seen" 2>/dev/null
    payload_lines seen | awk -v images="$run/images" '
      BEGIN { while ((getline line < images) > 0) { split(line, word, " "); id["image:" word[1]] = word[2] } }
      $1 in id { $2 = id[$1] }
      { print }'
  } | replace_file "$state/seen" && remember_needs
}

# What a build took of the host's memory, in MiB: the most that one of the service ever did, because one that found all
# in the cache takes nothing.
remember_needs() {
  {
    cat "$state/needs" 2>/dev/null
    payload_lines measured
  } | awk '$2 > most[$1] + 0 { most[$1] = $2 } END { for (service in most) print service, most[service] }' |
    replace_file "$state/needs"
}

# The containers that run when all is well.
serving_keys() { awk -v one_off="$one_off" '$1 == "object" && $4 !~ one_off { print $2 }' "$state/current" 2>/dev/null; }

# What served before this run, and does not any more.
retired_keys() {
  awk -v one_off="$one_off" '$1 != "object" || $4 ~ one_off { next }
    FILENAME ~ /current$/ { serves[$2] = 1; next }
    !serves[$2] { print $2 }' "$state/current" "$run/before" 2>/dev/null
}

prune_runs() {
  # shellcheck disable=SC2012 # our own names, no surprises
  ls -1t "$state/runs" | tail -n +11 | while read -r old; do
    # Its own can look old: the clock may have been set back.
    [ "$old" = "${run##*/}" ] || rm -rf "${state:?}/runs/$old"
  done
}
