# shellcheck shell=sh
# Asks one service through the proxy, as visitors and other services reach it. Changes nothing.

check() {
  key=$(payload_value key)
  state=$(payload_value state)
  load_object "$key" || return 1
  # An engine that was restarted while the release was tidied up: that is over soon.
  patience=$(($(now) + 6000))
  await_engine
  case $health in
    http:*)
      address=${health#http:}
      find_proxy
      # Not by the service's name: the proxy carries it only if another service needs it. Nor by 127.0.0.1, where the
      # proxy has doors of its own.
      if ! answers=$(poll_in "$proxy" "$http_poll" "http://127.0.0.2:${address%%:*}${address#*:}" "$service"); then
        say "$answers" | tail -n 1 | sed "s|//127.0.0.2:|//$service:|"
        return 1
      fi
      ;;
    *) await_healthy "$key" || return 1 ;;
  esac
  say "$service is healthy"
}
