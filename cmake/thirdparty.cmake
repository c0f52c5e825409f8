# Libraries of others, all from Debian, and the modules that may link them.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
foreach(library IN ITEMS fmt yaml-cpp openssl libzstd sqlite3 libcurl libpq hiredis)
    pkg_check_modules(${library} REQUIRED IMPORTED_TARGET GLOBAL ${library})
    # hiredis asks for -D_FILE_OFFSET_BITS=64, which means nothing on 64 bits and spoils the precompiled header.
    set_target_properties(PkgConfig::${library} PROPERTIES INTERFACE_COMPILE_OPTIONS "")
    # Headers of others do not have to pass our warnings.
    get_target_property(directories PkgConfig::${library} INTERFACE_INCLUDE_DIRECTORIES)
    if(directories)
        set_target_properties(PkgConfig::${library} PROPERTIES
            INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${directories}")
    endif()
endforeach()

# lifeboat_libraries(<module> <result>): what the module links besides other modules.
function(lifeboat_libraries module result)
    set(table
        "platform/base:PkgConfig::fmt Threads::Threads"
        "platform/codec:PkgConfig::yaml-cpp PkgConfig::openssl PkgConfig::libzstd"
        "platform/state:PkgConfig::sqlite3"
        "platform/http:PkgConfig::libcurl PkgConfig::openssl"
        "providers/probe:PkgConfig::libpq PkgConfig::hiredis"
        "providers/postgres:PkgConfig::libpq"
        "providers/redis:PkgConfig::hiredis")       # nlohmann-json and CLI11 are headers only
    set(found "")
    foreach(row IN LISTS table)
        if(row MATCHES "^([^:]+):(.*)$" AND CMAKE_MATCH_1 STREQUAL module)
            separate_arguments(found UNIX_COMMAND "${CMAKE_MATCH_2}")
        endif()
    endforeach()
    set(${result} "${found}" PARENT_SCOPE)
endfunction()
