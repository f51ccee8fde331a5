# shellcheck shell=sh
# The demo on this machine's engine. Each checkout has one of its own, by a name made once: two checkouts do not take each
# other's for theirs, nor does a new one, in the same folder as before, that of the one which was deleted.

demo_dir=$state/demo
demos=$cache/demos

name_demo() {
  if [ ! -s "$demo_dir/name" ]; then
    printf 'demo-%s\n' "$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')" | write_file "$demo_dir/name"
  fi
  demo_name=$(cat "$demo_dir/name")
  demo_config=$demo_dir/Pulumi.$demo_name.yaml
  # 8080 as long as it is free: it is the one that the documents show.
  [ -s "$demo_dir/port" ] || node "$here/lib/free-ports.mjs" 1 8080 | write_file "$demo_dir/port"
  printf '%s\n' "$checkout" | write_file "$demos/$demo_name"
}

# The demo's stack is the local one, but for its name and its port.
ensure_demo_stack() {
  echo 'name: artsvao' | write_file "$demo_dir/Pulumi.yaml"
  write_file "$demo_config" <"$checkout/Pulumi.local.yaml"
  ensure_stack "$demo_dir" "$demo_name"
  pulumi -C "$demo_dir" config set --stack "$demo_name" --config-file "$demo_config" \
    --path artsvao:http.port "$(cat "$demo_dir/port")"
}

forget_demo() {
  rm -rf "$demo_dir"
  rm -f "$demos/$demo_name"
}

# What a checkout that is gone has left running: it takes memory and a port, and nobody would look for it.
tell_orphans() {
  for file in "$demos"/demo-*; do
    [ -f "$file" ] || continue
    orphan=${file##*/} of=$(cat "$file")
    [ "$(cat "$of/.sandbox/demo/name" 2>/dev/null)" != "$orphan" ] || continue
    if [ -z "$(docker ps -aq --filter "label=deploy.stack=artsvao/$orphan")" ]; then
      rm -f "$file"
      continue
    fi
    say "a demo of a checkout that is gone still runs ($of)."
    say "To remove it: sh /var/lib/artsvao/$orphan/script teardown"
  done
}
