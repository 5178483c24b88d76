# Recipes are verbs; each calls one script or one go command. `just` alone lists them.

_list:
    @just --list --unsorted

# run the main job on a private PostgreSQL; --keep stays up
demo *options:
    script/demo {{options}}

# lint, and test against a private PostgreSQL: just test ./engine
test *options:
    script/test {{options}}

# vet, lint, look for vulnerabilities; --fix rewrites what it can
lint *options:
    script/lint {{options}}

# measure throughput, latency and cost; e.g. just bench --workloads linear-10
bench *options:
    go run ./cmd/tasker-worker bench {{options}}

# measure the same on DBOS and plain River, by turns; e.g. just bench-peers --rounds 1
bench-peers *options:
    cd bench/peers && go run . {{options}}

# make bin/tasker-worker
build:
    go build -o bin/tasker-worker ./cmd/tasker-worker

# build the image tasker-worker; e.g. just image --build-arg NODE=no
image *options:
    script/image {{options}}

# list the linked modules with their age, and fail when one is far behind
dependencies *options:
    script/dependencies {{options}}

# run what depends on runtimes on another Debian, in a container: just matrix trixie forky
matrix *options:
    script/matrix {{options}}

# run the tests ten times with a core kept busy beside them, and list those that flicker: just soak-tests 3 ./queue
soak-tests *options:
    script/soak-tests {{options}}
