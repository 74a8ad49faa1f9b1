# The image of every service of docker-compose.yml that is ours. Only what image.lock names, by hash, gets in.
FROM python:3.11.14-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_NO_CACHE=1 DO_NOT_TRACK=1 DBT_SEND_ANONYMOUS_USAGE_STATS=false LANG=C.UTF-8 \
    VIRTUAL_ENV=/usr/local UV_SYSTEM_PYTHON=1

# a number, so that Kubernetes and Compose can see that it is not root; the folders are those that volumes cover
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /scratch --shell /usr/sbin/nologin cchc \
    && install -d -o cchc -g cchc /scratch /data/inbox /data/landing /data/out

WORKDIR /opt/cchc
COPY bootstrap.lock image.lock ./
RUN pip install --require-hashes -r bootstrap.lock && uv pip install --require-hashes -r image.lock

COPY pyproject.toml README.md ./
COPY cchc cchc
COPY extract extract
COPY publish publish
COPY dags dags
COPY sample sample
COPY sql sql
COPY dbt dbt
# editable, since the package finds its SQL and dbt models beside itself
RUN pip install --no-deps --no-build-isolation --no-index --editable .

ARG CCHC_CODE_VERSION=unknown
ENV CCHC_CODE_VERSION=$CCHC_CODE_VERSION AIRFLOW_HOME=/scratch/airflow TMPDIR=/scratch CCHC_VAR=/scratch/var
USER 10001:10001
ENTRYPOINT ["python", "-m", "airflow"]
CMD ["version"]
