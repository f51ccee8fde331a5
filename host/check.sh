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
      # At its own door (plan/wanted/doors.ts), so that it can be asked as a visitor asks, whose host name is the site's.
      if ! answers=$(poll_in "$proxy" "$http_poll" "http://$service:${address%%:*}${address#*:}" "$origin" "$proxy_doors/service-$service.sock"); then
        say "$answers" | tail -n 1
        return 1
      fi
      ;;
    *) await_healthy "$key" || return 1 ;;
  esac
  say "$service is healthy"
}
