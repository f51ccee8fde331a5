/** What ssh://user@name:port is made of; the name of an IPv6 address without its brackets. */
export function partsOfAddress(address: string): { user: string; name: string; port: string } {
  const [, user = "", bracketed, plain = "", port = "22"] =
    /^ssh:\/\/([^@]*)@(?:\[([^\]]*)\]|([^:]+))(?::(\d+))?$/.exec(address) ?? [];
  return { user, name: bracketed ?? plain, port };
}
