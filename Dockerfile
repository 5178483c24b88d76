# The worker as an image: the static binary, the language runtimes that its handlers need, and their users. The worker is root of its
# container, so that the handlers of each language can have a user of their own, who can read neither its credentials nor its memory; it needs
# no more than the capabilities that compose.yaml leaves it, and docs/security.md says how to run it without any.
#
#   docker build -t tasker-worker .
#   docker build -t tasker-worker --build-arg NODE=no --build-arg PYTHON=no .     Ruby alone
#   docker run --init -e DATABASE_URL_FILE=/run/secrets/database_url -v "$PWD/database_url:/run/secrets/database_url:ro" \
#     -v "$PWD/executors:/app/executors:ro" -v "$PWD/templates:/app/templates:ro" tasker-worker
#
# Plain Dockerfile syntax: the builder of any Docker, Podman or Buildah will do. Handlers that need gems, wheels or npm
# packages get an image of their own: FROM tasker-worker, install, COPY.

# The images that this one is built from. script/image gives them with the digests in deploy/base-images.txt where they are pulled.
ARG GO_IMAGE=golang:1.26-trixie
# The release of Debian, whose runtimes these are: trixie (13) or another that is tested, as versions/supported.txt has them.
ARG DEBIAN=trixie
ARG DEBIAN_IMAGE=debian:$DEBIAN-slim
# A runtime is left out with --build-arg NAME=no.
ARG RUBY=yes
ARG PYTHON=yes
ARG NODE=yes

FROM $GO_IMAGE AS build
ENV CGO_ENABLED=0
WORKDIR /src
# What changes seldom comes first: the modules, then the slowest of them and of Go's own packages compiled, so that a change of our
# code compiles our code alone.
COPY go.mod go.sum ./
RUN go mod download
RUN go build -trimpath \
    net/http/pprof text/tabwriter encoding/csv \
    github.com/alecthomas/kong \
    github.com/caarlos0/env/v11 \
    github.com/fsnotify/fsnotify \
    github.com/goccy/go-yaml \
    github.com/jackc/pgx/v5/pgxpool \
    github.com/jackc/pgx/v5/stdlib \
    github.com/pressly/goose/v3 \
    github.com/riverqueue/river \
    github.com/riverqueue/river/riverdriver/riverpgxv5 \
    github.com/riverqueue/river/rivermigrate \
    github.com/santhosh-tekuri/jsonschema/v6 \
    github.com/sourcegraph/conc \
    golang.org/x/term
ARG VERSION=dev
COPY . .
RUN go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /tasker-worker ./cmd/tasker-worker

FROM $DEBIAN_IMAGE AS base
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin worker \
 && id=10001 && for language in ruby python node command; do id=$((id + 1)); \
      useradd --uid $id --user-group --create-home --shell /usr/sbin/nologin handler-$language || exit 1; done \
 && mkdir -p /app/executors /app/templates \
 && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*

# Each runtime is a stage on top of the one before; NAME-yes has it, NAME-no does not.
FROM base AS ruby-no
FROM base AS ruby-yes
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ruby \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/man /usr/share/ri

FROM ruby-$RUBY AS python-no
FROM ruby-$RUBY AS python-yes
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/man

FROM python-$PYTHON AS node-no
FROM python-$PYTHON AS node-yes
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/man

# The binary comes last, so that nothing else is made again for it.
FROM node-$NODE AS worker
ENV LANG=C.UTF-8 TZ=UTC \
    TASKER_HANDLER_USER=ruby=handler-ruby,python=handler-python,node=handler-node,command=handler-command
WORKDIR /app
STOPSIGNAL SIGTERM
ENTRYPOINT ["tasker-worker"]
CMD ["run"]
COPY --from=build /tasker-worker /usr/local/bin/tasker-worker
