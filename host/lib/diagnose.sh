# shellcheck shell=sh
# Why a container is not well: what it said itself, and the setting that cures what it stumbled over.

# last_lines KEY ID: the first and the last that say something. Lines that differ in nothing but numbers, such as an access
# log's of being asked for its health, are shown once: they would push out the one that says what is wrong.
last_lines() {
  say "  last lines of $1:"
  # What nginx complains of stands beside what it wrote down of each request.
  if [ "$role" = proxy ]; then docker logs --tail 2000 "$2" 2>&1 >/dev/null; else docker logs --tail 2000 "$2" 2>&1; fi | awk '
    /^[[:space:]]*$/ { next }
    { kind = $0; gsub(/[0-9]+/, "0", kind) }
    !(kind in times) { line[++lines] = $0; kinds[lines] = kind }
    { times[kind]++ }
    END {
      for (i = 1; i <= lines; i++) {
        if (lines > 24 && i == 6) { print "(" lines - 20 " other lines)"; i = lines - 14 }
        more = times[kinds[i]] - 1
        print line[i] (more > 0 ? " (and " more " more like it)" : "")
      }
    }' | indent
}

# unwell KEY: all of it. Expects load_object to have run.
unwell() {
  last_lines "$1" "$id"
  diagnose "$id"
}

# diagnose ID: a line for each cause that shows itself.
diagnose() {
  case $role in
    database) settings=database ;;
    proxy) settings=proxy ;;
    *) settings=services.${service%%.*} ;;
  esac
  # shellcheck disable=SC2046 # plain words
  set -- "$1" $(container_state "$1")
  code=${4:-}
  # One that runs again does not tell how it ended; the engine's events do, if not at once.
  if [ "${2:-}" = running ]; then
    ended=$(last_exit "$1")
    code=${ended:-$code}
  fi
  if killed_for_memory "$1"; then
    advise "it had more to do than $settings.memory allows: give it more"
  else
    case $code in
      126) advise "exit code 126: what it is to run may not be executed: look at $settings.command, and at the file's mode in the image" ;;
      127) advise "exit code 127: what it is to run is not in the image: look at $settings.command" ;;
    esac
  fi
  docker logs --tail 2000 "$1" >"${run:-$state}/said" 2>&1
  refused_to_write "$1"
  case ${2:-}:$health in running:http:*) what_listens "$1" ;; esac
  rm -f "${run:-$state}/said" "${run:-$state}/said.words"
}

advise() { say "  look here: $*"; }

# refused_to_write ID: the system's own two words for it, and the path in the line that has them.
refused_to_write() {
  if line=$(said_of 'read-only file system|EROFS'); then
    path=$(path_in "$line")
    advise "its file system is read-only${path:+, and it wanted to write $path}: $settings.security.tmpfs for what may be lost, a volume for what must stay, or $settings.security: relaxed"
  fi
  if line=$(said_of 'permission denied|EACCES|operation not permitted|EPERM'); then
    path=$(path_in "$line")
    user=$(docker inspect -f '{{.Config.User}}' "$1" 2>/dev/null)
    volume=$(volume_of "$1" "$path")
    if [ -n "$volume" ]; then
      advise "it runs as ${user:-root} and may not use $path: the volume $volume has data of another user. Let it run as that one ($settings.security.user), or give it the data, once: docker run --rm --user 0 --volume $volume:/v --entrypoint chown $(docker inspect -f '{{.Config.Image}}' "$1") -R ${user:-0} /v"
    else
      advise "it runs as ${user:-root}${path:+ and may not use $path}: give it to this user in the image (COPY --chown, RUN chown), or say another one in $settings.security.user; or $settings.security: relaxed"
    fi
  fi
}

# said_of WORDS: its last line with these, and with a path if there is one; fails when it has not said them.
said_of() {
  grep -iE "$1" "${run:-$state}/said" >"${run:-$state}/said.words" || return
  { grep / "${run:-$state}/said.words" || cat "${run:-$state}/said.words"; } | tail -n 1
}

# path_in LINE: the last absolute one, with plain letters only.
path_in() { printf '%s\n' "$1" | grep -oE '(^|[^A-Za-z0-9._/-])/[A-Za-z0-9._/-]+' | tail -n 1 | sed 's/^[^/]*//; s/[.:]*$//'; }

# volume_of ID PATH: whose mount the path lies in.
volume_of() {
  docker inspect -f '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Destination .Name}}{{end}}{{end}}' "$1" 2>/dev/null |
    while read -r target name; do
      [ -n "$target" ] || continue
      case $2/ in "$target"/*) say "$name" ;; esac
    done | tail -n 1
}

# what_listens ID: of one that does not answer at its port. Asked inside it; an image without cat is asked through the host.
what_listens() {
  wanted=${health#http:}
  wanted=${wanted%%:*}
  sockets=$(docker exec "$1" cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  if [ -z "$sockets" ]; then
    process=/proc/$(docker inspect -f '{{.State.Pid}}' "$1")
    sockets=$(cat "$process/net/tcp" "$process/net/tcp6" 2>/dev/null)
  fi
  [ -n "$sockets" ] || return 0
  # "ADDRESS:PORT" in hex, state 0A. 127.0.0.11 is Docker's own name server.
  listening=$(say "$sockets" | awk '$4 == "0A" { print $2 }' | while IFS=: read -r address port; do
    case $address in
      0B00007F) continue ;;
      ??????7F | 00000000000000000000000001000000) within=loopback ;;
      *) within=any ;;
    esac
    say "$((0x$port)) $within"
  done | sort -un)
  case "$newline$listening$newline" in
    *"$newline$wanted any$newline"*) ;;
    *"$newline$wanted loopback$newline"*)
      advise "it listens on port $wanted of 127.0.0.1 only, where nobody outside its container reaches it: let it listen on 0.0.0.0 (often HOST or BIND in $settings.env)"
      ;;
    "$newline$newline") advise "it listens on no port yet; $settings.port is $wanted" ;;
    *) advise "nothing listens on $settings.port $wanted; it listens on $(say "$listening" | cut -d' ' -f1 | sort -un | tr '\n' ' ' | sed 's/ $//; s/ /, /g')" ;;
  esac
}
