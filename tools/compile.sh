#!/bin/sh
# compile.sh COMPILER ARGUMENT...: how CMake starts the compiler: through ccache, so that every clone on
# this machine, wherever it lies, profits from what another has compiled.
#
# A precompiled header is a memory image that differs from build to build, so its users would never be
# found in the cache. Beside each we put the hash of what it was made from (FILE.sum), and ccache takes
# that in its place.

if [ -z "$LIFEBOAT_CCACHE" ]; then exec "$@"; fi
export CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

case " $* " in
    *" -x c++-header "*) header=yes ;;
    *" -include-pch "*) header=no ;;        # clang
    # GCC: a tenth of its time goes into collecting garbage that it has room for.
    *) exec "$LIFEBOAT_CCACHE" "$@" --param=ggc-min-heapsize=1000000 ;;
esac

if [ "$header" = no ]; then
    # CMake says it in words meant for clang's inside, whose paths ccache does not make relative:
    # -Xclang -include-pch -Xclang FILE.pch -Xclang -include -Xclang FILE
    count=$#
    while [ "$count" -gt 0 ]; do
        argument=$1; shift; count=$((count - 1))
        if [ "$argument" = -Xclang ] && [ "$1" = -include-pch ]; then
            set -- "$@" -include-pch "$3"; shift 3; count=$((count - 3))
        elif [ "$argument" = -Xclang ] && [ "$1" = -include ]; then
            shift 3; count=$((count - 3))
        else
            set -- "$@" "$argument"
        fi
    done
    exec "$LIFEBOAT_CCACHE" "$@"
fi

"$@" || exit
# The same command, preprocessing only.
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1; shift; count=$((count - 1))
    case $argument in
        -o) output=$1; shift; count=$((count - 1)) ;;
        -MT|-MF) shift; count=$((count - 1)) ;;
        -Xclang) case $1 in -emit-pch) shift; count=$((count - 1)) ;; *) set -- "$@" "$argument" ;; esac ;;
        -c|-MD) ;;
        *) set -- "$@" "$argument" ;;
    esac
done
"$@" -E -P -o "$output.i" && sha256sum <"$output.i" >"$output.sum"
status=$?
rm -f "$output.i"
exit $status
