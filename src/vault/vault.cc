/// The vault as one object: what its parts share, and which part does what.

#include "vault/vault.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"
#include "vault/directories.h"
#include "vault/format_record.h"
#include "vault/history.h"
#include "vault/log.h"
#include "vault/point_reader.h"
#include "vault/point_writer.h"
#include "vault/prune.h"
#include "vault/sealed.h"
#include "vault/verify.h"

namespace lifeboat::vault {
namespace {

bool is_document_name(std::string_view name) {
    return !name.empty() && name.size() <= 500 &&
           std::ranges::all_of(split(name, '/'), [](std::string_view part) {
               return !part.empty() && part.front() != '.' && part.size() <= 200 &&
                      std::ranges::all_of(part, [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                      });
           });
}

Result<std::string> document_object(const std::string& component, const std::string& name) {
    if (is_name(component) && is_document_name(name))
        return fmt::format("documents/{}/{}", component, name);
    return invalid(fmt::format("not a name of a document: '{}/{}'", component, name));
}

class DirectoryVault final : public Vault {
public:
    DirectoryVault(Environment& environment, std::unique_ptr<Store> store, OpenedRecord record,
                   const crypto::Key& root)
        : store_(std::move(store)),
          root_(root),
          access_{environment, *store_, std::move(record.keys), std::move(record.read_only)},
          history_(access_),
          logs_(access_) {}

    std::string id() const override { return to_hex(access_.keys.vault); }
    Store& store() override { return *store_; }

    Result<std::unique_ptr<PointWriter>> begin_point(const std::string& component,
                                                     const std::string& method,
                                                     Instant began) override {
        if (!is_name(component) || !is_name(method))
            return invalid(fmt::format("not a name of a component and a method: '{}', '{}'",
                                       component, method));
        return vault::begin_point(access_, history_, component, method, began);
    }

    Result<std::vector<Point>> points(const std::string& component,
                                      std::vector<Finding>* damaged) override {
        auto all = TRY(history_.points(damaged));
        if (!component.empty())
            std::erase_if(all, [&](const Point& point) { return point.component != component; });
        return all;
    }

    Result<std::unique_ptr<PointReader>> open_point(const PointId& id) override {
        auto manifest = TRY(history_.manifest(id));
        return vault::open_point(access_, std::move(manifest));
    }

    Result<std::unique_ptr<LogWriter>> append_log(const LogName& name,
                                                  std::uint64_t begin) override {
        return vault::append_log(access_, logs_, name, begin);
    }
    Result<std::unique_ptr<LogReader>> open_log(const LogName& name) override {
        return vault::open_log(logs_, name);
    }
    Result<std::vector<LogStatus>> logs(const std::string& component) override {
        return list_logs(logs_, component);
    }

    Result<void> put_document(const std::string& component, const std::string& name,
                              ByteView bytes) override {
        TRY(access_.may_write());
        const std::string object = TRY(document_object(component, name));
        auto put = store_->put(object, seal_object(access_, object, bytes));
        if (put.has_value() || put.error().kind != ErrorKind::conflict) return put;
        // Sealed twice, the same document has other bytes: only what is inside can be compared.
        const Bytes present = TRY(get_document(component, name));
        if (std::ranges::equal(present, bytes)) return ok();
        return conflict(
            fmt::format("document '{}' of '{}' exists and says something else", name, component));
    }

    Result<Bytes> get_document(const std::string& component, const std::string& name) override {
        const std::string object = TRY(document_object(component, name));
        auto bytes = store_->get(object);
        if (!bytes.has_value() && bytes.error().kind == ErrorKind::not_found)
            return not_found(fmt::format("no document '{}' of '{}' in the vault", name, component));
        if (!bytes.has_value()) return bytes;
        return open_object(access_, object, *bytes);
    }

    Result<std::vector<std::string>> documents(const std::string& component) override {
        const std::string prefix = fmt::format("documents/{}/", component);
        const auto objects = TRY(store_->list(prefix));
        std::vector<std::string> names;
        for (const ObjectInfo& object : objects) names.push_back(object.name.substr(prefix.size()));
        return names;
    }

    Result<VerifyReport> verify(const Context& context, bool deep,
                                const Progress& progress) override {
        return verify_vault(access_, history_, logs_, root_, context, deep, progress);
    }

    Result<PruneReport> prune(const Context& context, const PruneRule& rule, Duration grace,
                              bool dry_run) override {
        return prune_vault(access_, history_, logs_, context, rule, grace, dry_run);
    }

private:
    std::unique_ptr<Store> store_;
    const crypto::Key root_;
    Access access_;
    History history_;
    LogCatalog logs_;
};

}  // namespace

Result<void> init_vault(Environment& environment, const Path& directory, const crypto::Key& key) {
    Files& files = environment.files;
    auto names = files.list(directory);
    if (!names.has_value() && names.error().kind != ErrorKind::not_found)
        return std::move(names).error();
    for (const std::string& name : names.has_value() ? *names : std::vector<std::string>{}) {
        if (name == format_object)
            return conflict(fmt::format("'{}' is a vault already", directory.string()));
        if (name != "tmp")  // left over from an init that was interrupted
            return conflict(
                fmt::format("'{}' is not empty: it holds '{}'", directory.string(), name),
                "A vault begins in a directory of its own: name a new one.");
    }
    TRY(make_durable_directories(files, directory));
    const auto store = TRY(open_directory_store(directory, environment));
    FormatRecord record;
    environment.random.fill(record.vault);
    record.created = environment.clock.now();
    TRY(store->put(format_object, as_bytes(write_format_record(record, key))));
    auto removed = files.remove_tree(directory / "tmp");
    return removed;
}

Result<std::unique_ptr<Vault>> open_vault(Environment& environment, const Path& directory,
                                          const crypto::Key& key) {
    auto store = TRY(open_directory_store(directory, environment));
    auto text = store->get(format_object);
    if (!text.has_value() && text.error().kind == ErrorKind::not_found)
        return not_found(
            fmt::format("'{}' is not a vault: it has no {}", directory.string(), format_object),
            "Make one with `lifeboat vault init`, or correct the path in the plan.");
    if (!text.has_value()) return std::move(text).error();
    auto record = TRY(read_format_record(as_text(*text), key));
    return std::unique_ptr<Vault>(
        std::make_unique<DirectoryVault>(environment, std::move(store), std::move(record), key));
}

}  // namespace lifeboat::vault
