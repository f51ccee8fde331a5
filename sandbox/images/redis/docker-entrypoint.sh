#!/bin/sh
# Starts Redis as the official image does: options and a .conf file are given to redis-server, root becomes redis.
set -e
case $1 in
  -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid=redis --regid=redis --init-groups -- "$0" "$@"
  fi
  if [ "$(umask)" = 0022 ]; then umask 0077; fi
  # The official image's redis is built to answer other containers without a password; a .conf file says it itself.
  case ${2-} in
    *.conf | -v | --version | -h | --help) ;;
    *) shift && set -- redis-server --protected-mode no "$@" ;;
  esac
fi
exec "$@"
