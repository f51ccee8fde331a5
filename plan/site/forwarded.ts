/**
 * What a service is told of who asks: nginx's text for the headers that go with each request. What a visitor says of
 * himself in such headers is not handed on; only what a proxy in front of this one says, if the config names it.
 */

/**
 * For the block http. $trusted is empty for a visitor, `proxy` for one of the proxies in front, and `inside` for
 * another service of the stack (TRUSTED_INSIDE): it may hand on for whom it asks.
 *
 * @param trust the addresses (CIDR) of the proxies in front; none: nobody is believed
 */
export function whoAsks(trust: readonly string[]): string {
  const each = (text: (address: string) => string) => trust.map(text).join("");
  return `
  real_ip_header X-Forwarded-For;
  real_ip_recursive on;
${each((address) => `  set_real_ip_from ${address};\n`)}  geo $realip_remote_addr $trusted { default "";${each((address) => ` ${address} proxy;`)} }
  map "$trusted $http_x_forwarded_proto" $forwarded_proto { default $public_scheme; "~^\\S+ (?<given_proto>https?)\\b" $given_proto; }
  map "$trusted $http_x_forwarded_host" $forwarded_host { default $http_host; "~^\\S+ (?<given_host>[^\\s,]+)" $given_host; }
  map "$trusted $http_x_forwarded_port" $forwarded_port { default $public_port; "~^\\S+ (?<given_port>\\d+)$" $given_port; "proxy " $usual_port; }
  map $forwarded_proto $usual_port { default 80; https 443; }
  map $http_upgrade $websocket { default ""; ~*^websocket$ websocket; }
  map $websocket $upgrade_or_close { default upgrade; "" close; }
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $forwarded_proto;
  proxy_set_header X-Forwarded-Host $forwarded_host;
  proxy_set_header X-Forwarded-Port $forwarded_port;
  proxy_set_header Forwarded "";
  proxy_set_header Upgrade $websocket;
  proxy_set_header Connection $upgrade_or_close;
`;
}

/** For a server: the address that its visitors see. */
export function seenAt(scheme: "http" | "https", port: number): string {
  return `\n    set $public_scheme ${scheme};\n    set $public_port ${port};`;
}

/** For a server that only other services of the stack reach. */
export const TRUSTED_INSIDE = `\n    set_real_ip_from 0.0.0.0/0;\n    set_real_ip_from unix:;\n    set $trusted inside;`;

/** For a door of the runner: a socket has no address, so the one who asks says it. */
export const FROM_WITHIN = "\n    set_real_ip_from unix:;";
