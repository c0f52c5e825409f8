# Sourced by the verbs of ./dev; the working directory is the root of the clone.

export LC_ALL=C.UTF-8
# Debian's own tools, whatever shims stand in front of them.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this needs root: run './dev setup' as root, or install sudo"; fi
}

# configure DIRECTORY [CMAKE ARGUMENT...]: once; ninja itself configures again when a file changes.
configure() {
    local directory=$1
    shift
    [ ! -f "$directory/build.ninja" ] || return 0
    cmake -S . -B "$directory" -G Ninja "$@" >"$directory/configure.log" 2>&1 && return 0
    cat "$directory/configure.log" >&2
    die "cmake failed in $directory"
}

# locked DIRECTORY COMMAND...: one build at a time in a build tree.
locked() {
    local directory=$1
    shift
    mkdir -p "$directory"
    exec 9>"$directory/.lock"
    flock -n 9 || { say "waiting for another build in $directory"; flock 9; }
    "$@" 9>&-
    exec 9>&-
}

# compile DIRECTORY [TARGET...]: builds in a configured tree.
compile() {
    local directory=$1
    shift
    # Programs whose source is gone must not be run as tests.
    if [ "${1:-}" = all ]; then
        ninja -C "$directory" -t cleandead >/dev/null
        set -- -k 0 "$@"    # name every error, not the first only
    fi
    ninja -C "$directory" --quiet "$@"
}

# build_gcc [TARGET...]: the ordinary tree, build/.
build_gcc() { configure build && compile build "$@"; }

# build_clang [TARGET...]: the other compiler with the sanitizers, so that one tree serves both: its
# warnings (-Wthread-safety among them) and the run of the unit tests.
build_clang() {
    configure build-clang -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 \
        -DLIFEBOAT_SANITIZE=address,undefined -DLIFEBOAT_FAST_MODULES=
    compile build-clang "$@"
}

# build_fuzz [TARGET...]: sanitizers and libFuzzer.
build_fuzz() {
    configure build-fuzz -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 \
        -DLIFEBOAT_SANITIZE=address,undefined -DLIFEBOAT_FUZZ=ON
    compile build-fuzz "$@"
}
