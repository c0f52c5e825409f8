# Language, warnings, linker, compiler cache and sanitizers for everything that is compiled here.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)                 # TRY() is a statement expression
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

# Quick to compile, quick enough to run, and with line numbers in a stack trace. What a module needs
# beyond that (-O2 for the data path) it says in LIFEBOAT_FAST_MODULES.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")    # the sanitized tree: a third of the time to compile
set(LIFEBOAT_FAST_MODULES vault platform/codec CACHE STRING "modules compiled with -O2")

set(LIFEBOAT_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them: address,undefined or thread")
option(LIFEBOAT_FUZZ "build test/fuzz (clang only)" OFF)

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror -Wno-missing-field-initializers
    -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False in GCC 12 at every optimised `std::string + "text"` (its bugs 105329 and 105651).
    add_compile_options(-Wno-array-bounds -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # GCC's -Wconversion does not speak of signs either; and of deprecation only GCC is heard, since
    # clang complains about std::stable_sort inside libstdc++ 12.
    add_compile_options(-Wthread-safety -Wno-sign-conversion -Wno-deprecated-declarations
        -Wno-missing-designated-field-initializers
        -Wno-gnu-statement-expression-from-macro-expansion)
endif()

# Objects must not depend on where the clone lies: that is what lets the compiler cache serve another
# clone. The cache hands the compiler paths relative to the build tree.
file(RELATIVE_PATH to_source ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR})
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${to_source}=)

if(LIFEBOAT_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(LIFEBOAT_SANITIZE)
    add_compile_options(-fsanitize=${LIFEBOAT_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${LIFEBOAT_SANITIZE})
endif()

find_program(LIFEBOAT_MOLD mold)
if(LIFEBOAT_MOLD)
    add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

find_program(LIFEBOAT_CCACHE ccache)
if(LIFEBOAT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
        LIFEBOAT_CCACHE=${LIFEBOAT_CCACHE} ${PROJECT_SOURCE_DIR}/tools/compile.sh)
endif()
