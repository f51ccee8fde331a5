# shellcheck shell=sh
# rehearse: a new proxy takes the old one's place only after that has gone. So it is tried before, apart from everything.

# Runs in the new proxy's image: whether it has what a proxy needs, and reads the site ($SITE_SCRIPT and stdin).
rehearsal='
command -v curl >/dev/null || { echo "its image has no curl, which asks whether services are healthy"; exit 1; }
cd "$1" && printf "%s\n" "$SITE_SCRIPT" >routes.js && cat >nginx.conf && exec nginx -t -q -c "$1/nginx.conf"'

# rehearse KEY [TEXT]: with the site of the plan (TEXT), or with the one that is installed.
do_rehearse() {
  load_object "$1" || return 1
  site=$state/proxy/nginx.conf script=$state/proxy/routes.js
  if [ -n "${2:-}" ]; then
    site=$run/rehearsed.conf script=$run/rehearsed.js
    plan_text "$2" >"$site" && plan_text routes.js >"$script" || return 1
  fi
  key=$1
  # shellcheck disable=SC2046 # plain words: config/schema.ts lets no space into a path
  set -- $(docker inspect -f '{{.Image}} {{.Config.User}}{{range .Mounts}}{{if eq .Type "bind"}} -v {{.Source}}:{{.Destination}}:ro{{end}}{{end}}' "$id")
  [ $# -ge 2 ] || return 1
  image=$1 user=$2
  shift 2
  if ! complaint=$(
    SITE_SCRIPT=$(cat "$script")
    export SITE_SCRIPT
    docker run --rm -i --network none --label "$(payload_value label)" --user "$user" --read-only --cap-drop ALL \
      --tmpfs /tmp --tmpfs "$proxy_files:mode=1777" "$@" -e SITE_SCRIPT --entrypoint sh "$image" \
      -c "$rehearsal" rehearse "$proxy_files" <"$site" 2>&1
  ); then
    say "$key cannot serve this site: $complaint"
    return 1
  fi
}
undo_rehearse() { :; }
