# shellcheck shell=sh
# The demos' stacks: made when they are missing, freed when a killed run left them locked.

# A stack's configuration lies in a project folder; the box's is generated, so it has one of its own in .sandbox.
# ensure_stack FOLDER STACK
ensure_stack() {
  pulumi -C "$1" stack select --create "$2" >/dev/null
  clear_dead_lock "$1" "$2"
}

# The file backend's lock outlives a killed `pulumi`. It names its process; one that is gone holds nothing.
clear_dead_lock() {
  find "$state/state/.pulumi/locks" -path "*/$2/*.json" 2>/dev/null | while IFS= read -r lock; do
    pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$lock")
    if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then
      say "an interrupted run left the stack '$2' locked, unlocking it"
      pulumi -C "$1" cancel --yes --stack "$2" >/dev/null 2>&1
    fi
  done
}

# The box's stack has the local one's configuration, but for the machine and the port.
# ensure_box_stack FILE: writes the configuration to FILE.
ensure_box_stack() {
  echo 'name: artsvao' | write_file "$box_dir/Pulumi.yaml"
  write_file "$1" <"$checkout/Pulumi.local.yaml"
  ensure_stack "$box_dir" "$box_name"
  set_box_config "$1" host.address "ssh://root@127.0.0.1:$ssh_port"
  set_box_config "$1" host.hostKey "$(public_host_key)"
  set_box_config "$1" http.address 0.0.0.0
  set_box_config "$1" http.port "$web_port"
}

set_box_config() { pulumi -C "$box_dir" config set --stack "$box_name" --config-file "$1" --path "artsvao:$2" "$3"; }
