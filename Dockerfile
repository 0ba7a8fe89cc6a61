FROM python:3.12-slim

# A fixed number, so that a folder of the host can be given to it: chown 10001 folder
RUN useradd --system --uid 10001 --no-create-home byline && install -d -o byline -g byline /data

WORKDIR /app
COPY . .
# The same steps as outside a container. They leave a stamp, so that serve.sh finds nothing to install.
RUN PIP_NO_CACHE_DIR=1 sh -euc '. ./setup.sh; set_up requirements.txt' \
    && .venv/bin/python -m compileall -q app.py storage web auth blog

ENV HOST=0.0.0.0 \
    BYLINE_INSTANCE=/data \
    PATH=/app/.venv/bin:$PATH
USER byline
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import os, urllib.request as r; \
r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + (os.environ.get('PORT') or '8000') + '/healthz', timeout=4)"]
ENTRYPOINT ["./serve.sh"]
