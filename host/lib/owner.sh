# shellcheck shell=sh
# Whose host this is: one state may deploy a stack to one folder. The file `owner`, a word and its value a line:
#   stack    project/stack            by      who deployed it first
#   lineage  the state it belongs to  since   when
#   machine  the machine it is on
# Who changes it by hand knows what he does: it is what every script believes.

# machine_id: a name of this machine, the same for every user and after a reboot. The machine-id itself is nobody's to
# publish (man 5 machine-id): a digest of it stands in states and messages.
machine_id() {
  machine=
  for file in /etc/machine-id /var/lib/dbus/machine-id; do
    { read -r machine <"$file"; } 2>/dev/null
    # Empty in an image, "uninitialized" during a first boot.
    [ ${#machine} = 32 ] && break
    machine=
  done
  [ -n "$machine" ] || machine=$(docker info -f '{{.ID}}' 2>/dev/null)
  [ -n "$machine" ] || return 0
  printf 'deployed to %s' "$machine" | sha256sum | head -c 12
}

# owner_value WORD
owner_value() { sed -n "s/^$1 //p" "$state/owner" 2>/dev/null; }

# own_host: the folder belongs to this state from here on, or has before; else says whose it is, and fails.
own_host() {
  lineage=$(payload_value lineage)
  if [ ! -e "$state/owner" ] && ! write_owner; then
    say "cannot write $state/owner on the host: is its disk full? Nothing was changed."
    return 1
  fi
  [ "$(owner_value lineage)" = "$lineage" ] && return 0
  say "$state on the host belongs to another state of $(owner_value stack):"
  say "$(owner_value by) deployed it first, $(owner_value since). 'pulumi preview' says what to type. Nothing was changed."
  return 1
}

# Whole or not at all, and of two who come at once only one: a link is made only where there is no file.
write_owner() {
  label=$(payload_value label)
  {
    say "stack ${label#*=}"
    say "lineage $lineage"
    say "machine $(machine_id)"
    say "by $(payload_value by)"
    say "since $(date -u '+%F %T UTC')"
  } >"$state/owner.$$" || return 1
  ln "$state/owner.$$" "$state/owner" 2>/dev/null
  rm -f "$state/owner.$$"
  [ -s "$state/owner" ]
}

# own_containers: what serves and is not started anew must be in the plan by its own ID. Pulumi may have made another
# container of the same name since (`pulumi up --replace`, a state mended by hand): never started, it must not be
# recorded as what serves; the sweep removes it. What another state has deployed is not ours to go on with.
own_containers() {
  [ -s "$state/current" ] || return 0
  awk 'NR == FNR { if ($1 == "object") serves[$2] = $5; next }
    $1 == "do" && ($2 == "start" || $2 == "migrate") { begun[$3] = 1 }
    $1 == "object" && $2 in serves { planned[$2] = $5 }
    END { for (key in planned) if (!(key in begun)) print key, planned[key], serves[key] }' \
    "$state/current" "$plan" >"$run/kept"
  while read -r key made serves; do
    [ "$made" = "$serves" ] || [ -z "$(container_state "$serves")" ] || say "$key $made $serves"
  done <"$run/kept" >"$run/strangers"
  if ! deployed_by_us; then
    say "what serves here was deployed by another state: $(serving_keys | tr '\n' ' ')"
    say "Nothing was changed. 'pulumi destroy' clears the host and keeps the data; 'pulumi up' then deploys anew."
    return 1
  fi
  while read -r key made serves; do
    say "$key goes on in the container that serves; another one of that name, never started, is removed"
    sed "s/^\(object $key .*\) $made /\1 $serves /; s/^seen $key $made /seen $key $serves /" "$plan" |
      replace_file "$plan" || return 1
  done <"$run/strangers"
}

# An older program recorded no lineage: then one container that both know is proof enough.
deployed_by_us() {
  recorder=$(sed -n 's/^lineage //p' "$state/current")
  [ "$recorder" != "$(payload_value lineage)" ] || return 0
  [ -z "$recorder" ] || return 1
  [ ! -s "$run/strangers" ] || awk '$2 == $3 { known = 1 } END { exit !known }' "$run/kept"
}
