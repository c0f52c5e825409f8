# Two precompiled headers, compiled once and reused by every module: the standard library with fmt and
# JSON, and for tests the same with GoogleTest.

file(WRITE ${CMAKE_BINARY_DIR}/generated/empty.cc "")
set(empty ${CMAKE_BINARY_DIR}/generated/empty.cc)
add_library(lb_pch STATIC ${CMAKE_BINARY_DIR}/generated/empty.cc)
target_link_libraries(lb_pch PUBLIC PkgConfig::fmt)
target_precompile_headers(lb_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)

add_library(lb_pch_test STATIC ${CMAKE_BINARY_DIR}/generated/empty.cc)
target_link_libraries(lb_pch_test PUBLIC PkgConfig::fmt GTest::gtest)
target_precompile_headers(lb_pch_test PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch_test.h)
