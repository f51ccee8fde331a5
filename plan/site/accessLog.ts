/**
 * The access log of visitors' requests: a line of JSON each, written to nginx's standard output when the request has ended.
 * What a release counts comes first, in this order (host/lib/met.sh reads it): when it ended (seconds since 1970), seconds that
 * it took, status, seconds that it was held while its service was exchanged, what the service itself answered. No query, cookie or authorization stands in it.
 */
export function accessLogFormat(): string {
  return `
  # A request that is answered before it has a place here has none of these.
  uninitialized_variable_warn off;
  map $request_uri $path_asked { ~^(?<path_before_query>[^?]*) $path_before_query; }
  map $target $answering { ~^(?<answering_container>[^:]+): $answering_container; default ""; }
  map $held $held_seconds { "" 0; default $held; }
  log_format visitors escape=json '{"at":$msec,"seconds":$request_time,"status":$status,"held":$held_seconds,"upstream":"$upstream_status","bytes":$body_bytes_sent,"time":"$time_iso8601","service":"$service","container":"$answering","method":"$request_method","host":"$host","path":"$path_asked"}';
`;
}

/** For the server that leads to no service: nginx must know these names, also where no service is routed at all. */
export const NOBODY_ANSWERS = 'set $service ""; set $target ""; set $held 0;';

/** For each server that visitors reach. */
export const ACCESS_LOG = "access_log /dev/stdout visitors;";
