# shellcheck shell=sh
# Tells what of the stack is otherwise than a release left it: settings, health, nginx's files. Changes nothing.

# ID, not Id: with a name that only the raw answer knows, docker fails on a container that has no Health.
detail_format='{{.ID}} {{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}
 {{.HostConfig.Memory}} {{with .HostConfig.RestartPolicy.Name}}{{.}}{{else}}no{{end}}
 {{range $name, $network := .NetworkSettings.Networks}}{{$name}}={{$network.NetworkID}},{{end}}'

# detail ID HEALTH MEMORY RESTART NETWORK=ID,...   (memory in bytes, 0 is no limit)
detail_facts() {
  docker ps -aq --no-trunc --filter "label=$label" |
    docker_each inspect -f "$(say "$detail_format" | tr -d '\n')" 2>/dev/null |
    while read -r found status restarts told limit restart networks; do
      # One that crashes again and again runs now and then, and its status begins anew each time.
      case "$status $restarts $told" in running\ 0\ starting) ;; running\ *\ starting) told=unhealthy ;; esac
      if [ "$status $told" = "running unhealthy" ] && (recovered "$found"); then told=healthy; fi
      say "detail $found $told $limit $restart $networks"
    done
}

# recovered ID: Docker's own status is as old as its interval; what serves is asked once more.
recovered() {
  known=$(awk -v id="$1" '$1 == "object" && $5 == id { print $2 }' "$state/current" 2>/dev/null)
  [ -n "$known" ] && healthy_within "$known" 1
}

# Runs inside the proxy's container.
proxy_report='
cd "$1" || exit 1
for file in nginx.conf routes.js; do
  if [ -f $file ]; then
    sum=$(sha256sum <$file)
    printf "%s\n" "proxy-file $file ${sum%% *}"
  else
    printf "%s\n" "proxy-file $file missing"
  fi
done
if [ -f routes.json ]; then printf "%s\n" "proxy-routes $(base64 routes.json | tr -d "\n")"; fi
shift
printf "%s\n" "proxy-site $(sh -c "$1" site "$2" | head -n 1)"'

proxy_facts() {
  find_proxy
  [ "$proxy_runs" = yes ] || return 0
  docker exec "$proxy" sh -c "$proxy_report" report "$proxy_files" "$site_request" "$proxy_doors/ready.sock" 2>/dev/null </dev/null
}
