# Sourced by the verbs of ./dev; the working directory is the root of the clone.

export LC_ALL=C.UTF-8
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
python=/usr/bin/python3

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo --preserve-env=DEBIAN_FRONTEND "$@"
    else die "this needs root: run './dev setup' as root, or install sudo"; fi
}

# configure DIRECTORY [CMAKE ARGUMENT...]: once; ninja itself configures again when a file changes.
configure() {
    local directory=$1; shift
    [ -f "$directory/build.ninja" ] && return
    cmake -S . -B "$directory" -G Ninja "$@" >"$directory/configure.log" 2>&1 \
        || { cat "$directory/configure.log" >&2; die "cmake failed in $directory"; }
}

# locked DIRECTORY COMMAND...: one build at a time in a build tree.
locked() {
    local directory=$1; shift
    mkdir -p "$directory"
    exec 9>"$directory/.lock"
    if ! flock -n 9; then say "waiting for another build in $directory"; flock 9; fi
    "$@" 9>&-
    exec 9>&-
}
