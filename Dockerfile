FROM python:3.12-slim

# A fixed number, so that a folder of the host can be given to it: chown 10001 FOLDER
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin byline && install -d -o byline -g byline /data

WORKDIR /app
COPY . .
# The same steps as outside a container; they leave a stamp, so that serve.sh finds nothing to install. The first run
# of the command proves that everything is there, and leaves our own modules compiled.
RUN PIP_NO_CACHE_DIR=1 sh -euc '. ./setup.sh; set_up requirements.txt' && .venv/bin/byline --help >/dev/null

ENV HOST=0.0.0.0 BYLINE_INSTANCE=/data PATH=/app/.venv/bin:$PATH
USER byline
VOLUME /data
EXPOSE 8000
# Directly, whatever proxy the environment names.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD python -c "import urllib.request as r; \
    r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:${PORT:-8000}/healthz', timeout=4)"
ENTRYPOINT ["./serve.sh"]
