#!/usr/bin/env bash
# ./dev setup: installs from Debian what building, testing and the demo need. Servers are installed
# without being started and without a database cluster. Does nothing, quickly, when all is there.
set -euo pipefail
. tools/dev/common.sh

packages=(
    g++ cmake ninja-build ccache mold pkg-config git
    clang-19 clang-tidy-19 clang-format-19 lld-19 libclang-rt-19-dev libfuzzer-19-dev
    libfmt-dev nlohmann-json3-dev libyaml-cpp-dev libssl-dev libzstd-dev libsqlite3-dev
    libcurl4-openssl-dev libpq-dev libhiredis-dev libcli11-dev libpugixml-dev libmicrohttpd-dev
    libgtest-dev libgmock-dev libbenchmark-dev
    postgresql-15 redis-server
    python3 python3-pytest python3-psycopg2 python3-redis python3-cryptography zstd
    chromium fonts-dejavu-core    # tests look at the pages that we write
)
packages+=("$@")    # what only one verb needs, such as a benchmark's peer

missing=()
installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "${packages[@]}" 2>/dev/null || true)
for package in "${packages[@]}"; do
    grep -qx "ii *$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

say "installing: ${missing[*]}"

# No cluster, no running server: a default cluster would take port 5432 from whoever has it.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
policy=
if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    trap 'as_root rm -f "$policy"' EXIT
fi

apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
install() { as_root "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}" </dev/null; }
log=$(mktemp)
# The package list may be missing or stale, and the upgrade of a package that others depend on has been
# seen to fail half-way (files gone from /tmp): try, update, repair, try again.
if ! { [ -n "$(ls -A /var/lib/apt/lists/*Packages* 2>/dev/null)" ] && install >"$log" 2>&1; }; then
    as_root "${apt[@]}" update -qq >>"$log" 2>&1 || true
    as_root dpkg --configure -a >>"$log" 2>&1 || true
    install >>"$log" 2>&1 || { tail -40 "$log" >&2; die "apt-get could not install: ${missing[*]}"; }
fi
rm -f "$log"

# What this installed must not start at the next boot either.
for unit in postgresql redis-server; do
    case " ${missing[*]} " in
        *" $unit "*|*" $unit-15 "*) as_root update-rc.d "$unit" disable >/dev/null 2>&1 || true ;;
    esac
done
