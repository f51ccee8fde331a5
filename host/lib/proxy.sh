# shellcheck shell=sh
# nginx reads two things from its volume: nginx.conf (changes need a reload) and routes.json (read at each request,
# so that a route switches at one moment, without a reload and without closing anybody's connection).

proxy_files=/etc/nginx/state
# Where its sockets are (plan/wanted/doors.ts). ready.sock tells whether it is up, and with which site; a proxy that an older
# version of this program has made tells it at 127.0.0.1:8079 instead.
proxy_doors=/tmp

# find_proxy: sets proxy, the container to talk to (the one that runs, else the plan's, else the one that served), and
# proxy_runs (yes or no). Asked once a verb; what follows uses both. What else bears the label of a proxy is none of ours.
find_proxy() {
  known=$(
    {
      from_payload '/^object /p'
      cat "$state/current" "${run:-$state}/before" "${run:-$state}/script" 2>/dev/null
    } | awk '$1 == "object" && $4 == "proxy" { print $5 }'
  )
  proxy_runs=no
  proxy=$(say "$known" | head -n 1)
  for running in $(docker ps -q --no-trunc --filter "label=$(payload_value label)" --filter label=deploy.role=proxy \
    --filter status=running); do
    case $known in *"$running"*) proxy=$running proxy_runs=yes ;; esac
  done
}

# proxy_put NAME FILE: installs FILE as NAME in the volume, at one moment, and remembers it. FILE must not be written to
# again: what is remembered is a link to it where that can be, which a full disk does not refuse.
proxy_put() {
  [ "$2" = "$state/proxy/$1" ] || ln -f "$2" "$state/proxy/$1.new" 2>/dev/null || cp "$2" "$state/proxy/$1.new" || return 1
  if [ "$proxy_runs" = yes ]; then
    docker exec -i -u 0:0 "$proxy" \
      sh -c "cat >$proxy_files/$1.new && mv $proxy_files/$1.new $proxy_files/$1" <"$2" || return 1
  else
    cp "$2" "$state/proxy/.$1" && chmod 644 "$state/proxy/.$1" || return 1
    # Older clients do not know -q.
    docker cp -q "$state/proxy/.$1" "$proxy:$proxy_files/$1" 2>/dev/null ||
      docker cp "$state/proxy/.$1" "$proxy:$proxy_files/$1" >/dev/null || return 1
  fi
  [ "$2" = "$state/proxy/$1" ] && return
  # An undo that is done again finds its very file there already, and two links to one file cannot be moved together.
  mv -f "$state/proxy/$1.new" "$state/proxy/$1" 2>/dev/null && return
  rm -f "$state/proxy/$1.new"
  cmp -s "$2" "$state/proxy/$1"
}

# install_routes FILE: requests that arrive from now on go where FILE says.
install_routes() { proxy_put routes.json "$1"; }

# install_site FILE: checks the new nginx.conf before nginx sees it, reloads, and waits until the new one answers:
# a reload is only a signal, and for a moment old and new workers answer side by side.
install_site() {
  if [ "$proxy_runs" = no ]; then
    proxy_put nginx.conf "$1"
    return
  fi
  proxy_put next.conf "$1" || return 1
  if ! complaint=$(docker exec "$proxy" nginx -t -q -c "$proxy_files/next.conf" 2>&1); then
    say "nginx refuses the new configuration: $complaint"
    return 1
  fi
  # A reload closes kept connections, and fails a request that is just being sent on one. While this file is there,
  # each answer ends its connection (plan/site/nginx.ts): those in use are given up before.
  docker exec -u 0:0 "$proxy" touch "$proxy_files/closing" || return 1
  rest 0.3
  before=$(loaded_site)
  proxy_put nginx.conf "$1" && reload_proxy && await_site "$1"
  installed=$?
  docker exec -u 0:0 "$proxy" rm -f "$proxy_files/closing"
  return $installed
}

# Not `docker kill -s HUP`: the engine takes any signal of its own for a stop by hand, after which only the restart policy
# `always` brings a container back.
reload_proxy() {
  complaint=$(docker exec "$proxy" nginx -c "$proxy_files/nginx.conf" -s reload 2>&1) && return
  say "$complaint"
  return 1
}

# await_site FILE: until nginx has answered with it three times in a row. By its name, and by another worker than before
# the reload: after an edit by hand the name alone may be the same.
await_site() {
  marker=$(sed -n 's/^# site //p' "$1")
  tries=0 answers=0
  while [ $answers -lt 3 ]; do
    loaded=$(loaded_site)
    if [ "${loaded%% *}" = "$marker" ] && [ "$loaded" != "$before" ]; then
      answers=$((answers + 1))
    else
      answers=0
    fi
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
      say "nginx did not take the new configuration"
      return 1
    fi
    rest 0.1
  done
}

loaded_site() { docker exec "$proxy" sh -c "$site_request" site "$proxy_doors/ready.sock"; }

# Runs inside the proxy's container.
site_request='
if [ -e "$1" ]; then curl -s -m 2 --unix-socket "$1" http://localhost/site; else curl -s -m 2 http://127.0.0.1:8079/site; fi'

# connections_to ID PORT: how many requests the proxy has open to a container.
# There are no idle ones: the proxy opens a connection for each request.
connections_to() {
  hex=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$1" | tr ' ' '\n' |
    awk -F. -v port="$2" 'NF == 4 { printf "%02X%02X%02X%02X:%04X\n", $4, $3, $2, $1, port }')
  docker exec "$proxy" cat /proc/net/tcp 2>/dev/null |
    awk -v wanted="$hex" 'BEGIN { n = split(wanted, w, "\n"); for (i = 1; i <= n; i++) is[w[i]] = 1 }
      $4 == "01" && is[$3] { open++ } END { print open + 0 }'
}
