# shellcheck shell=sh
# A volume that is new belongs to root, and services do not run as root.

# give_volumes: to the user of the container: those of its volumes that no release has used before and that are empty. What
# has data, or an owner that the image gave it, stays as it is. Expects load_object to have run.
give_volumes() {
  payload_lines fresh >"$run/fresh"
  [ -s "$run/fresh" ] || return 0
  user=$(docker inspect -f '{{.Config.User}}' "$id") || return 1
  [ -n "$user" ] || return 0
  for volume in $(docker inspect -f '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}' "$id"); do
    grep -qxF "$volume" "$run/fresh" || continue
    owner=$(numbers_of "$user")
    if ! complaint=$(in_volume "$volume" "$owner" 2>&1); then
      say "cannot give the volume $volume to user $owner: $complaint"
      return 1
    fi
  done
}

# in_volume VOLUME UID:GID: in a container of nginx's image, which every host of ours has, and which may do nothing else.
in_volume() {
  image=$(docker inspect -f '{{.Image}}' "$(from_payload '/^object /p' | awk '$4 == "proxy" { print $5; exit }')") || return 1
  docker run --rm --network none --read-only --memory 32m --user 0:0 --cap-drop ALL --cap-add CHOWN \
    --security-opt no-new-privileges --volume "$1:/volume" --entrypoint sh "$image" -c '
      [ "$(stat -c %u /volume)" = 0 ] || exit 0
      [ -z "$(find /volume -mindepth 1 ! -name lost+found -print -quit)" ] || exit 0
      chown "$1" /volume' give "$2"
}

# numbers_of USER[:GROUP]: as UID:GID, by the image's own lists; such a list may be missing where numbers are given.
numbers_of() {
  for list in passwd group; do
    docker cp "$id:/etc/$list" "$run/$list" >/dev/null 2>&1 || : >"$run/$list"
  done
  who=${1%%:*} group=
  case $1 in *:*) group=${1#*:} ;; esac
  uid=$(awk -F: -v one="$who" '$1 == one || $3 == one { print $3; exit }' "$run/passwd")
  own=$(awk -F: -v one="$who" '$1 == one || $3 == one { print $4; exit }' "$run/passwd")
  gid=$(awk -F: -v one="$group" '$1 == one || $3 == one { print $3; exit }' "$run/group")
  say "${uid:-$who}:${gid:-${group:-${own:-0}}}"
}
