# Like nginx:1.22-bookworm, the oldest that is supported: the same paths, user, entrypoint, stop signal and versions.
FROM debian:bookworm-slim
ARG DEBIAN_FRONTEND=noninteractive
RUN groupadd --system --gid 101 nginx \
 && useradd --system --uid 101 --gid nginx --home-dir /nonexistent --no-create-home --shell /bin/false nginx \
 && apt-get update && apt-get install -y --no-install-recommends nginx-light libnginx-mod-http-js curl \
 && rm -rf /var/lib/apt/lists/* /etc/nginx/modules-enabled /etc/nginx/sites-* /etc/nginx/snippets \
      /etc/nginx/modules-available /etc/nginx/conf.d /etc/nginx/nginx.conf \
 && ln -s /usr/lib/nginx/modules /etc/nginx/modules \
 && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log \
 && mkdir -p /var/cache/nginx /docker-entrypoint.d && chown nginx: /var/cache/nginx
COPY nginx.conf /etc/nginx/nginx.conf
COPY default.conf /etc/nginx/conf.d/default.conf
COPY --chmod=755 docker-entrypoint.sh /
ENTRYPOINT ["/docker-entrypoint.sh"]
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
