# Like nginx:1.30-trixie: the same paths, user, entrypoint, stop signal and versions. nginx and njs are those of Debian's next
# release, on this one.
FROM debian:trixie-slim
ARG DEBIAN_FRONTEND=noninteractive
RUN groupadd --system --gid 101 nginx \
 && useradd --system --uid 101 --gid nginx --home-dir /nonexistent --no-create-home --shell /bin/false nginx \
 && sed -n 's/ trixie main$/ sid main/p' /etc/apt/sources.list > /etc/apt/sources.list.d/sid.list \
 && printf 'Package: *\nPin: release n=sid\nPin-Priority: 100\n' > /etc/apt/preferences.d/sid \
 && apt-get update \
 && apt-get install -y --no-install-recommends curl \
 && apt-get install -y --no-install-recommends -t sid nginx-light libnginx-mod-http-js \
 && rm -rf /var/lib/apt/lists/* /etc/apt/sources.list.d/sid.list /etc/apt/preferences.d/sid \
      /etc/nginx/modules-enabled /etc/nginx/sites-* /etc/nginx/snippets \
      /etc/nginx/modules-available /etc/nginx/conf.d /etc/nginx/nginx.conf \
 && ln -s /usr/lib/nginx/modules /etc/nginx/modules \
 && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log \
 && mkdir -p /var/cache/nginx /docker-entrypoint.d && chown nginx: /var/cache/nginx \
 && nginx -v
COPY nginx.conf /etc/nginx/nginx.conf
COPY default.conf /etc/nginx/conf.d/default.conf
COPY --chmod=755 docker-entrypoint.sh /
ENTRYPOINT ["/docker-entrypoint.sh"]
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
