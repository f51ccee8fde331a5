# shellcheck shell=sh
# Asks one service through the proxy, as visitors and other services reach it. Changes nothing.

check() {
  key=$(payload_value key)
  state=$(payload_value state)
  load_object "$key" || return 1
  case $health in
    http:*)
      address=${health#http:}
      find_proxy
      if ! answers=$(poll_in "$proxy" "$http_poll" "http://$service:${address%%:*}${address#*:}"); then
        say "$answers" | tail -n 1
        return 1
      fi
      ;;
    *) await_healthy "$key" || return 1 ;;
  esac
  say "$service is healthy"
}
