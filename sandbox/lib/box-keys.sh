# shellcheck shell=sh
# The box's ssh keys (one pair to log in, one of the host) and the agent that holds the first.

login_key=$box_dir/id_ed25519
host_key=$box_dir/host_ed25519
agent_file=$box_dir/agent

# ssh-keygen writes the private key first: without the public one, a killed run is made good.
make_keys() {
  mkdir -p "$box_dir"
  chmod 700 "$box_dir"
  for key in "$login_key" "$host_key"; do
    [ -s "$key.pub" ] && continue
    rm -f "$key"
    ssh-keygen -q -t ed25519 -N '' -C "sandbox" -f "$key" </dev/null
  done
}

# Into the container before its first start.
install_keys() {
  docker cp "$host_key" "$box_container:/etc/ssh/ssh_host_ed25519_key" >/dev/null
  docker cp "$host_key.pub" "$box_container:/etc/ssh/ssh_host_ed25519_key.pub" >/dev/null
  rm -rf "$box_dir/ssh.tmp.$$"
  mkdir "$box_dir/ssh.tmp.$$"
  cp "$login_key.pub" "$box_dir/ssh.tmp.$$/authorized_keys"
  chmod 700 "$box_dir/ssh.tmp.$$"
  docker cp "$box_dir/ssh.tmp.$$/." "$box_container:/root/.ssh" >/dev/null
  rm -rf "$box_dir/ssh.tmp.$$"
}

public_host_key() { cut -d' ' -f1,2 "$host_key.pub"; }

# Logs in with the key file; the host key must be ours.
box_ssh() {
  printf '[127.0.0.1]:%s %s\n' "$ssh_port" "$(public_host_key)" | write_file "$box_dir/known_hosts"
  ssh -F /dev/null -i "$login_key" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=5 \
    -o UserKnownHostsFile="\"$box_dir/known_hosts\"" -o StrictHostKeyChecking=yes \
    -p "$ssh_port" root@127.0.0.1 "$@" </dev/null
}

# The agent that we started, if it still answers; sets agent_sock and agent_pid.
find_agent() {
  [ -r "$agent_file" ] || return 1
  agent_sock=$(value_of agent_sock "$agent_file")
  agent_pid=$(value_of agent_pid "$agent_file")
  SSH_AUTH_SOCK=$agent_sock ssh-add -l >/dev/null 2>&1
}

start_agent() {
  find_agent && return 0
  eval "$(ssh-agent -s 9>&-)" >/dev/null
  SSH_AUTH_SOCK=$SSH_AUTH_SOCK ssh-add -q "$login_key" </dev/null
  printf 'agent_sock=%s\nagent_pid=%s\n' "$SSH_AUTH_SOCK" "$SSH_AGENT_PID" | write_file "$agent_file"
  find_agent
}

# Only one that answers at its socket is ours to stop: the pid alone could be anybody's by now.
stop_agent() {
  if find_agent; then SSH_AUTH_SOCK=$agent_sock SSH_AGENT_PID=$agent_pid ssh-agent -k >/dev/null; fi
  rm -f "$agent_file"
}
