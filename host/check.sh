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
      docker exec "$proxy" sh -c "$http_poll" poll "http://$service:${address%%:*}${address#*:}" "$timeout" || return 1
      ;;
    *) await_healthy "$key" || return 1 ;;
  esac
  say "$service is healthy"
}
