# shellcheck shell=sh
# fits: whether a database can live with the data that is in its volume, asked before anything is stopped for it.

# Runs in the database's image, as root that may look and nothing else. Tells: UID of who it will run as; then FOLDER UID
# VERSION of each data folder, FOLDER relative to the volume (. is its root); then whether anything else is in it.
fit_probe='
id -u "${1%%:*}" 2>/dev/null || echo "${1%%:*}"
cd "$2" || exit 1
find . -maxdepth 3 -name PG_VERSION | while read -r file; do
  folder=${file%/PG_VERSION}
  # In a data folder there is one for each database, too.
  case $folder in */base/*) continue ;; esac
  echo "data $folder $(stat -c %u "$folder") $(cat "$file")"
done
[ -z "$(ls -A | grep -v "^lost+found$" | head -n 1)" ] || echo full'

# do_fits KEY FOLDER: of its one volume; FOLDER is where in it this image keeps its data.
do_fits() {
  load_object "$1" || return 1
  # shellcheck disable=SC2046 # plain words
  set -- "$1" "$2" $(docker inspect -f '{{.Image}} {{or .Config.User "0"}}{{range .Mounts}}{{if eq .Type "volume"}} {{.Name}} {{.Destination}}{{end}}{{end}}' "$id")
  [ $# -ge 6 ] || return 1
  image=$3 user=$4 volume=$5 target=$6
  if ! docker run --rm --network none --label "$(payload_value label)" --read-only --memory 32m --user 0:0 --cap-drop ALL \
    --cap-add DAC_READ_SEARCH --security-opt no-new-privileges --volume "$volume:$target:ro" --entrypoint sh "$image" \
    -c "$fit_probe" fits "$user" "$target" >"$run/fits" 2>&1; then
    say "the volume $volume cannot be looked at: $(tail -n 1 "$run/fits")"
    return 1
  fi
  grep -q '^full$' "$run/fits" || return 0
  version=$(payload_value data)
  version=${version%% *}
  uid=$(head -n 1 "$run/fits")
  # shellcheck disable=SC2046 # plain words
  set -- "$2" $(sed -n 's/^data //p' "$run/fits")
  if [ $# -lt 4 ]; then
    say "the volume $volume holds something, and no data of PostgreSQL: name another one (database.volume)"
  elif [ $# -gt 4 ]; then
    say "the volume $volume holds several data folders: $(sed -n 's/^data \([^ ]*\) .* /\1 of PostgreSQL /p' "$run/fits" | tr '\n' ';')"
    say "move the one that counts into a volume of its own, and name that (database.volume)"
  elif [ "$4" != "$version" ]; then
    say "the volume $volume holds data of PostgreSQL $4, which $version cannot read: set database.version to $4;"
    say "or name a new database.volume, deploy, and move the data over with pg_dump and pg_restore"
  elif [ "$2" != "$1" ]; then
    say "the data in the volume $volume lies in $2, and this image looks for it in $1: it would begin an empty one"
    say "move it there, with nothing running on it: docker run --rm -v $volume:/v $image sh -c 'mkdir -p /v/$1 && cd /v/$2 && mv * /v/$1'"
  elif [ "$3" != "$uid" ]; then
    say "the data in the volume $volume belongs to user $3, and this image's PostgreSQL is user $uid"
    case $3 in
      70) say "an alpine image has written it: set database.image to postgres:$version-alpine, or to the very one" ;;
      999) say "a Debian image has written it: set database.image to postgres:$version-bookworm, or to the very one" ;;
      *) say "set database.image to the one that has written it; or give the data away: docker run --rm -v $volume:/v --entrypoint chown $image -R $uid:$uid /v" ;;
    esac
  else
    return 0
  fi
  return 1
}
undo_fits() { :; }
