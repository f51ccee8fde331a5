# shellcheck shell=sh
# The end of every script sent to the host: the word on the command line is the function to run.

action=$1
shift
"$action" "$@"
