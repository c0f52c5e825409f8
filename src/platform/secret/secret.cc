#include "platform/secret/secret.h"

#include <fmt/core.h>

#include <array>
#include <cstring>
#include <utility>

#include "platform/base/text.h"
#include "platform/observe/redact.h"

namespace lifeboat {
namespace {

constexpr std::array<std::string_view, 3> schemes = {"env:", "file:", "aws-secret:"};
constexpr std::uint64_t file_size_max = 64U << 10U;
constexpr std::size_t length_min = 4;  // the redactor could not hide a shorter one
constexpr int symlinks_max = 8;        // Kubernetes mounts a secret as a chain of two

/// The status of what `path` leads to, and the path itself with its symlinks followed.
Result<std::pair<Path, FileStatus>> follow(Files& files, Path path) {
    for (int i = 0; i <= symlinks_max; ++i) {
        FileStatus status = TRY(files.status(path));
        if (status.type != FileType::symlink) return std::pair(std::move(path), status);
        const Path target = TRY(files.read_symlink(path));
        path = target.is_absolute() ? target : path.parent_path() / target;
    }
    return invalid(fmt::format("'{}' is a chain of too many symlinks", path.string()));
}

Result<std::string> read_environment(Environment& environment, const std::string& name) {
    std::optional<std::string> value = environment.processes.environment(name);
    if (!value || value->empty())
        return not_found(
            fmt::format("the environment variable '{}' is {}", name, value ? "empty" : "not set"),
            fmt::format("Set it where lifeboat is started: export {}=…", name));
    return std::move(*value);
}

Result<std::string> read_secret_file(Files& files, const std::string& name) {
    constexpr std::uint32_t others = 0077;
    auto followed = follow(files, name);
    if (!followed) return std::move(followed).error().in("the secret file");
    const auto& [path, status] = *followed;
    if (status.type != FileType::regular)
        return invalid(fmt::format("the secret file '{}' is not a regular file", path.string()));
    if ((status.mode & others) != 0)
        return denied(fmt::format("the secret file '{}' is open to other users (mode {:03o})",
                                  path.string(), status.mode & 0777U),
                      fmt::format("Keep it to yourself: chmod 600 '{}'.", path.string()));
    Result<Bytes> bytes = read_file(files, path, file_size_max);
    if (!bytes) return std::move(bytes).error().in("the secret file");
    std::string value(as_text(*bytes));
    std::memset(bytes->data(), 0, bytes->size());
    if (value.ends_with('\n')) value.pop_back();
    return value;
}

Result<std::string> read_value(Environment& environment, const Path& base,
                               std::string_view reference) {
    if (reference.starts_with("env:"))
        return read_environment(environment, std::string(reference.substr(4)));
    if (reference.starts_with("file:"))
        return read_secret_file(environment.files, (base / reference.substr(5)).string());
    if (reference.starts_with("aws-secret:"))
        return unsupported(
            fmt::format("'{}': AWS Secrets Manager cannot be read by this build", reference),
            "Use env:NAME or file:PATH.");
    // What is no reference may be the secret itself: it is not repeated.
    return invalid("a secret is given as a value where a reference belongs",
                   "Write env:NAME or file:PATH, and keep the value there.");
}

}  // namespace

bool is_secret_reference(std::string_view text) {
    for (const std::string_view scheme : schemes)
        if (text.starts_with(scheme) && text.size() > scheme.size()) return true;
    return false;
}

Secret::~Secret() { explicit_bzero(value_.data(), value_.size()); }

Result<Secret> SecretResolver::resolve(std::string_view reference) const {
    std::string value =
        TRY(read_value(environment_, base_, is_secret_reference(reference) ? reference : ""));
    if (value.size() < length_min)
        return invalid(
            fmt::format("the secret '{}' is shorter than {} characters", reference, length_min),
            "Use a longer one: so short a text cannot be kept out of logs.");
    register_secret(value);
    return Secret(std::move(value));
}

}  // namespace lifeboat
