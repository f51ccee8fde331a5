# shellcheck shell=sh
# What the runner is doing, for whoever waits for it.

# in_words VERB ARGUMENT...: continues "release ... by ..., since ..., now".
in_words() {
  case $1 in
    hold | stage | route | site) say "at \"$(label_of "$2")\"" ;;
    migrate) say "running $2" ;;
    start) say "starting $2" ;;
    healthy) say "waiting for $2 to be healthy" ;;
    drain) say "waiting for the last requests to $2" ;;
    stop) say "stopping $2" ;;
    remove) say "removing $2" ;;
    smoke) say "testing the $2 release" ;;
    observe) say "watching the new release" ;;
    backup) say "dumping the database" ;;
    password) say "setting the database's password" ;;
    jobs) say "writing the crontab" ;;
    record) say "recording the release" ;;
    shelter | promote) say "settling what a reboot would bring up" ;;
    sweep) say "tidying up" ;;
    *) say "at $*" ;;
  esac
}

# label_of TEXT: what the plan of the run in progress calls it.
label_of() {
  at_work_on=$(sed -n '1s/^run //p' "$state/journal")
  sed -n "s/^label-$1 //p" "$at_work_on/plan" 2>/dev/null
}
