# shellcheck shell=sh
# The crontab of who deploys: a block of lines between two of its own, which a release writes. All else in there is left as it is.
# A job of the plan and of `current` is a line: job NAME ZONE OVERLAP MINUTE HOUR DAY MONTH WEEKDAY; ZONE is - for the
# host's own time, each field is * or numbers with commas, Sunday is 0.

# The script that cron calls, and what a run of a job leaves behind (host/jobs.sh), are below $state/jobs.
job_script() { say "$state/jobs/script"; }

# crontab_block: from job lines on stdin. Cron knows one time zone, its own: what has another is asked at each minute that
# could be its one, for zones are quarters of an hour apart, and looks itself whether it is due.
crontab_block() {
  lines=$(cat)
  [ -n "$lines" ] || return 0
  say "$(block_begin) (written by its deploys: change its config, not this)"
  say "$lines" | while read -r _ name zone _ minute others; do
    if [ "$zone" = - ]; then
      say "$minute $others sh $(job_script) run_job $name"
    else
      say "$(quarters "$minute") * * * * sh $(job_script) run_job $name due"
    fi
  done
  say "$(block_end)"
}

block_begin() {
  stack=$(payload_value label)
  say "# >>> jobs of ${stack#*=}"
}
block_end() {
  stack=$(payload_value label)
  say "# <<< jobs of ${stack#*=}"
}

# quarters FIELD: these minutes, and those a quarter, a half and three quarters of an hour from them.
quarters() {
  case $1 in '*') say '*' && return ;; esac
  say "$1" | awk '{
    count = split($0, minutes, ",")
    for (i = 1; i <= count; i++) for (shift = 0; shift < 60; shift += 15) asked[(minutes[i] + shift) % 60] = 1
    for (minute = 0; minute < 60; minute++) if (minute in asked) text = text (text == "" ? "" : ",") minute
    print text
  }'
}

# read_crontab: what there is; nothing is nothing. Fails, and says why, where it cannot be told.
read_crontab() {
  if crontab_error=$( { crontab -l 2>&1 >&3; } 3>"$1"); then return 0; fi
  case $crontab_error in
    # Debian's and cronie's words; busybox'.
    *'no crontab for'* | *"can't open"*'No such file'*) : >"$1" ;;
    *)
      say "$crontab_error" | tail -n 1
      return 1
      ;;
  esac
}

# block_of FILE, rest_of FILE: our lines, and all others. Where the last line of ours is lost, only ours are taken for it.
block_of() { between_marks "$1" 1; }
rest_of() { between_marks "$1" 0; }
between_marks() {
  awk -v begin="$(block_begin)" -v end="$(block_end)" -v ours="$2" -v script="$(job_script)" '
    index($0, begin " ") == 1 { inside = 1; if (ours) print; next }
    inside && $0 == end { inside = 0; if (ours) print; next }
    inside && !index($0, script) { inside = 0 }
    (inside == 1) == ours { print }' "$1"
}

# write_crontab: with the block for the job lines on stdin in place of the one before.
write_crontab() {
  block=$(crontab_block)
  if ! command -v crontab >/dev/null; then
    [ -n "$block" ] || return 0
    say "the host has no crontab any more, which starts the jobs: install cron there (Debian: apt-get install cron)"
    return 1
  fi
  table=$state/crontab.$$
  if ! why=$(read_crontab "$table"); then
    say "the crontab of $(id -un) cannot be read: $why"
    rm -f "$table"
    return 1
  fi
  if [ "$(block_of "$table")" = "$block" ]; then
    rm -f "$table"
    return 0
  fi
  {
    rest_of "$table"
    [ -z "$block" ] || say "$block"
  } >"$table.new" && why=$(crontab "$table.new" 2>&1)
  written=$?
  rm -f "$table" "$table.new"
  [ $written = 0 ] || say "the crontab of $(id -un) cannot be written: $why"
  return $written
}

# cron_runs: as far as it can be seen. Where processes of others are hidden, it is taken for granted.
cron_runs() {
  [ -r /proc/1/comm ] || return 0
  cat /proc/[0-9]*/comm 2>/dev/null | grep -qxE 'cron|crond|fcron|dcron|cronie|anacron' && return 0
  # systemd-cron has timers in place of a daemon; busybox may be called by its own name.
  [ -d /run/systemd/system ] && systemctl -q is-active cron.target 2>/dev/null && return 0
  cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q 'busybox crond'
}

# cron_facts: what a plan must know of cron, where there are jobs or are to be some.
cron_facts() {
  [ -n "$(payload_value jobs)" ] || grep -q '^job ' "$state/current" 2>/dev/null || return 0
  if ! command -v crontab >/dev/null; then
    say "cron none"
  elif ! cron_runs; then
    say "cron stopped"
  elif ! why=$(read_crontab "$answers/crontab"); then
    say "cron denied $why"
  elif [ "$(block_of "$answers/crontab")" = "$(sed -n '/^job /p' "$state/current" 2>/dev/null | crontab_block)" ]; then
    say "cron same"
  else
    say "cron other"
  fi
  payload_lines zone | while read -r zone; do
    [ -f "/usr/share/zoneinfo/$zone" ] || say "no-zone $zone"
  done
}
