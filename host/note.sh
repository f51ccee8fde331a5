# shellcheck shell=sh
# A line for the deploy log about what failed before the release began here: a build, a pull, a refusal.

note() { log_line "$(unpack "$(payload_value note)")"; }
