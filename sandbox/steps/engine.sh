#!/bin/sh
# Uses the engine that answers; else starts Debian's.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/facts.sh"
. "$here/lib/client.sh"
. "$here/lib/engine.sh"

engine_answers || engine_start

if engine_pid >/dev/null; then
  fact 'Docker engine' real "$(engine_version), started by the sandbox"
else
  fact 'Docker engine' real "$(engine_version), was running"
fi
