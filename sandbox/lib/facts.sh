# shellcheck shell=sh
# What a step of the set-up found out, kept for the summary: one file a subject, in .sandbox/facts.

# fact SUBJECT real|stand-in TEXT
fact() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" | write_file "$facts/$(printf %s "$1" | tr -c 'A-Za-z0-9.\n' '-')"
}

# The text of a subject's fact; empty if there is none.
fact_text() {
  cut -f3- "$facts/$(printf %s "$1" | tr -c 'A-Za-z0-9.\n' '-')" 2>/dev/null || true
}
