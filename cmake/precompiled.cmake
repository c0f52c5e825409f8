# The precompiled headers, compiled once and reused by every module: the standard library with fmt; the
# same with JSON; that again for modules compiled with -O2 (GCC 12 crashes when a precompiled header of
# another optimisation level is used); and for tests with GoogleTest. nlohmann's header costs every file
# that sees it 0.35 s even when precompiled, so the modules that seldom use it stand in
# LIFEBOAT_PLAIN_MODULES. A header is named as <...>, so that the generated file that includes it is the
# same in every clone, which the compiler cache needs.

set(LIFEBOAT_PLAIN_MODULES platform/base platform/task platform/env platform/observe platform/secret
    platform/http CACHE STRING "modules most of whose files do not see JSON")

set(empty ${CMAKE_BINARY_DIR}/generated/empty.cc)
file(CONFIGURE OUTPUT ${empty} CONTENT "")

function(lifeboat_precompile name header)
    add_library(${name} STATIC EXCLUDE_FROM_ALL ${empty})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake)
    target_link_libraries(${name} PUBLIC PkgConfig::fmt)
    target_precompile_headers(${name} PRIVATE ${header})
endfunction()

lifeboat_precompile(lb_pch_plain <pch_plain.h>)
lifeboat_precompile(lb_pch <pch.h>)
lifeboat_precompile(lb_pch_fast <pch.h>)
target_compile_options(lb_pch_fast PRIVATE -O2)
lifeboat_precompile(lb_pch_test <pch_test.h>)
target_link_libraries(lb_pch_test PUBLIC GTest::gtest)
lifeboat_precompile(lb_pch_test_plain <pch_test_plain.h>)
target_link_libraries(lb_pch_test_plain PUBLIC GTest::gtest)
