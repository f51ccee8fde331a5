#!/bin/sh
# Stands in front of a program of the host while the fault table runs: one call of the runner waits in here, so that a
# test can act exactly while a verb is at work. The test puts it into /usr/local/bin and takes it away again.
#   /run/hold/journal   the stack's journal
#   /run/hold/wanted    two shell patterns: for the journal's last line, and for the call
#   /run/hold/held      what became of `wanted` once a call waits
#   /run/hold/go        the call that waits may go on

name=${0##*/}
if [ -f /run/hold/wanted ]; then
  last=$(tail -n 1 "$(cat /run/hold/journal)" 2>/dev/null)
  {
    read -r verb
    read -r call
  } </run/hold/wanted
  # shellcheck disable=SC2254 # they are patterns
  case $last in $verb)
    case "$name $*" in $call)
      # Only one call can be the one that moves it.
      if mv /run/hold/wanted /run/hold/held 2>/dev/null; then
        tries=0
        until [ -e /run/hold/go ] || [ $tries -gt 1200 ]; do
          tries=$((tries + 1))
          sleep 0.1 9>&-
        done
      fi
      ;;
    esac
    ;;
  esac
fi
exec "/usr/bin/$name" "$@"
