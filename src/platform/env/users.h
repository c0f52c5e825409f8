#pragma once
/// The user database. Internal to env; thread-safe.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace lifeboat {

struct User {
    std::string name;
    std::string home;
    uid_t uid = 0;
    gid_t gid = 0;
};

/// The user of this uid; only the uid is filled when the database does not know it.
User find_user(uid_t uid);
std::optional<User> find_user(const std::string& name);
/// The groups a login of this user would have; `gid` alone when the database does not know the
/// user.
std::vector<gid_t> groups_of(const User& user, gid_t gid);

}  // namespace lifeboat
