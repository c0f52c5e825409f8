#include "platform/env/users.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>

namespace lifeboat {
namespace {

/// Asks one of the getpw*_r(3) functions, with as much memory as it wants.
template <class Ask>
std::optional<User> ask_for_user(Ask ask) {
    constexpr std::size_t memory_max = std::size_t{1} << 20U;
    for (std::size_t size = 1024; size <= memory_max; size *= 4) {
        std::vector<char> memory(size);
        passwd entry{};
        passwd* found = nullptr;
        const int failed = ask(&entry, memory.data(), memory.size(), &found);
        if (failed == ERANGE) continue;
        if (failed != 0 || found == nullptr) return std::nullopt;
        return User{
            .name = entry.pw_name, .home = entry.pw_dir, .uid = entry.pw_uid, .gid = entry.pw_gid};
    }
    return std::nullopt;
}

}  // namespace

User find_user(uid_t uid) {
    const auto found =
        ask_for_user([uid](passwd* entry, char* memory, std::size_t size, passwd** result) {
            return ::getpwuid_r(uid, entry, memory, size, result);
        });
    return found ? *found : User{.uid = uid};
}

std::optional<User> find_user(const std::string& name) {
    return ask_for_user([&name](passwd* entry, char* memory, std::size_t size, passwd** result) {
        return ::getpwnam_r(name.c_str(), entry, memory, size, result);
    });
}

std::vector<gid_t> groups_of(const User& user, gid_t gid) {
    if (user.name.empty()) return {gid};
    int count = 64;
    std::vector<gid_t> groups(64);
    while (::getgrouplist(user.name.c_str(), gid, groups.data(), &count) < 0) {
        if (groups.size() > 65536) return {gid};
        groups.resize(groups.size() * 2);
        count = static_cast<int>(groups.size());
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

}  // namespace lifeboat
