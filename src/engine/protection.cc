#include "engine/protection.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/schedule/every.h"
#include "platform/task/mutex.h"
#include "platform/task/scope.h"

namespace lifeboat::engine {
namespace {

using providers::Instance;
using providers::StreamReport;

constexpr std::chrono::seconds lease_ttl{15};
constexpr std::chrono::seconds lease_renewal{4};
constexpr std::chrono::milliseconds glance{250};  ///< how often a switch is looked for
constexpr std::chrono::seconds backoff_max{10};
constexpr std::chrono::seconds conflict_look{1};

Json to_json(const StreamReport& report) {
    return Json{
        {"at", format_instant(report.at)}, {"safe_until", format_instant(report.safe_until)},
        {"position", report.position},     {"retained_bytes", report.retained_bytes},
        {"free_bytes", report.free_bytes}, {"warning", report.warning}};
}

/// The protection of one component: its lease, its streams, its repeated points.
class Guard {
public:
    Guard(Workspace& workspace, Instances& instances, const plan::Component& component,
          const ProtectOptions& options)
        : workspace_(workspace), instances_(instances), component_(component), options_(options) {}

    Result<void> run(const Context& context) {
        auto lease = workspace_.state.acquire(
            "protect/" + component_.name,
            own_holder(workspace_.environment, "protect " + component_.name), lease_ttl);
        if (!lease.has_value()) return lease.error();
        TaskScope scope(context);
        for (const plan::Protection& protection : component_.protect) {
            scope.spawn([this, &protection](const Context& task) {
                return protection.every ? repeat(task, protection) : stream(task, protection);
            });
        }
        auto kept = keep_lease(context, *lease);
        scope.stop();
        auto ended = scope.wait();
        (void)workspace_.state.release(*lease);  // Ignored: it expires.
        if (!kept.has_value() && kept.error().kind != ErrorKind::cancelled) return kept;
        if (!ended.has_value() && ended.error().kind != ErrorKind::cancelled) return ended;
        return ok();
    }

private:
    void tell(const plan::Protection& protection, std::string message, bool trouble) {
        if (!options_.on_news) return;
        options_.on_news(ProtectionNews{.at = workspace_.now(),
                                        .component = component_.name,
                                        .method = protection.method,
                                        .message = std::move(message),
                                        .trouble = trouble});
    }

    Result<void> keep_lease(const Context& context, Lease& lease) {
        while (true) {
            TRY(context.sleep(lease_renewal));
            lease = TRY(workspace_.state.renew(lease, lease_ttl));
        }
    }

    /// The token of the current instance; changes at a switch.
    std::string current_token() {
        auto instance = instances_.current(component_.name);
        return instance.has_value() ? instance->made_by : std::string("?");
    }

    /// Waits for `limit`, or until another instance is current.
    Result<void> wait_or_switch(const Context& context, Duration limit, const std::string& token) {
        const Context bounded = context.within(limit);
        while (bounded.remaining().value_or(Duration::zero()) > Duration::zero()) {
            if (current_token() != token) return ok();
            auto slept = bounded.sleep(glance);
            if (context.stopped()) return context.check("protection");
            if (!slept.has_value()) return ok();
        }
        return ok();
    }

    Result<void> stream(const Context& context, const plan::Protection& protection) {
        providers::Provider* provider = workspace_.registry.find(component_.kind);
        unsigned failures = 0;
        std::string followed, told;
        while (!context.stopped()) {
            const std::string token = current_token();
            auto instance = instances_.current(component_.name);
            // What failed was the old one: its delays must not leave a hole in the new one's log.
            if (token != followed) failures = 0;
            followed = token;
            auto broke = instance.has_value()
                             ? stream_once(context, *provider, protection, *instance, failures)
                             : Result<void>(instance.error());
            if (context.stopped()) break;
            if (current_token() != token) {
                tell(protection, "another instance is current now: following it", false);
                continue;
            }
            ++failures;
            const Error error = broke.has_value() ? unavailable("the stream ended") : broke.error();
            if (failures == 1 || error.message != told) tell(protection, error.message, true);
            told = error.message;
            // Whoever is in our way may be gone in a moment; what is down takes longer.
            const Duration longest =
                error.kind == ErrorKind::conflict ? conflict_look : backoff_max;
            const Duration pause = std::min<Duration>(
                std::chrono::milliseconds(250) * (1U << std::min(failures, 6U)), longest);
            TRY(wait_or_switch(context, pause, token));
        }
        return context.check("protection");
    }

    Result<void> stream_once(const Context& context, providers::Provider& provider,
                             const plan::Protection& protection, const Instance& instance,
                             unsigned& failures) {
        const providers::Target target{workspace_.plan, component_, instance};
        if (instance.identity.empty()) {
            auto seen = TRY(provider.observe(context.within(std::chrono::seconds(5)), target));
            if (seen.identity.empty()) return unavailable(seen.why);
            TRY(instances_.pin(component_.name, seen.identity));
        }
        std::stop_source inner;
        const std::stop_callback outer(context.stop_token(), [&] { inner.request_stop(); });
        std::string warning;
        bool told = false;
        auto sink = [&](const StreamReport& report) {
            failures = 0;
            if (!told) tell(protection, "streaming from " + report.position, false);
            told = true;
            if (!report.warning.empty() && report.warning != warning)
                tell(protection, report.warning, true);
            warning = report.warning;
            keep(report);
            if (current_token() != instance.made_by) inner.request_stop();
        };
        return provider.protect(context.with_stop(inner.get_token()), target, protection, sink);
    }

    /// The live report is a small record; losing one to a concurrent writer costs a second of age.
    void keep(const StreamReport& report) {
        const std::string key = "stream/" + component_.name;
        auto record = workspace_.state.get(key);
        if (!record.has_value()) return;
        (void)workspace_.state.put(key, record->version, to_json(report));  // Ignored: see above.
    }

    /// When the newest point of this method was begun on the current instance.
    std::optional<Instant> last_point(const plan::Protection& protection,
                                      const std::string& token) {
        vault::Vault* vault = workspace_.services.vault;
        if (vault == nullptr) return std::nullopt;
        auto points = vault->points(component_.name);
        if (!points.has_value()) return std::nullopt;
        std::optional<Instant> last;
        for (const vault::Point& point : *points) {
            const bool same = string_or(point.instance, "made_by", "") == token;
            if (same && point.method == protection.method) last = std::max(last, {point.began});
        }
        return last;
    }

    Result<void> repeat(const Context& context, const plan::Protection& protection) {
        unsigned failures = 0;
        while (!context.stopped()) {
            const std::string token = current_token();
            const schedule::Due due = schedule::next_due(last_point(protection, token),
                                                         *protection.every, workspace_.now());
            Duration wait = std::max(Duration::zero(), Duration(due.at - workspace_.now()));
            if (failures > 0) wait = schedule::retry_after(failures, *protection.every);
            if (due.missed > 1 && failures == 0)
                tell(protection, fmt::format("{} points were missed", due.missed), true);
            // Woken early by a switch: what is due is computed anew for the new instance.
            TRY(wait_or_switch(context, wait, token));
            if (current_token() != token) continue;
            Json arguments = protection.settings;
            arguments["method"] = protection.method;
            auto done = backup(context, workspace_, instances_, component_.name, arguments, {});
            if (done.has_value()) {
                failures = 0;
                tell(protection, "a point was made in " + human_duration(done->took), false);
            } else if (!context.stopped()) {
                ++failures;
                tell(protection, "no point: " + done.error().message, true);
            }
        }
        return context.check("protection");
    }

    Workspace& workspace_;
    Instances& instances_;
    const plan::Component& component_;
    const ProtectOptions& options_;
};

bool is_wanted(const ProtectOptions& options, const plan::Component& component) {
    if (component.protect.empty()) return false;
    return options.components.empty() ||
           std::ranges::find(options.components, component.name) != options.components.end();
}

}  // namespace

Result<void> protect(const Context& context, Workspace& workspace, Instances& instances,
                     const ProtectOptions& options) {
    TaskScope scope(context);
    std::vector<std::unique_ptr<Guard>> guards;
    for (const plan::Component& component : workspace.plan.components) {
        if (!is_wanted(options, component)) continue;
        if (workspace.registry.find(component.kind) == nullptr) {
            if (options.on_news)
                options.on_news({.at = workspace.now(),
                                 .component = component.name,
                                 .method = {},
                                 .message = fmt::format("not protected by this build: no provider "
                                                        "for kind '{}'",
                                                        component.kind),
                                 .trouble = true});
            continue;
        }
        guards.push_back(std::make_unique<Guard>(workspace, instances, component, options));
        scope.spawn(
            [guard = guards.back().get()](const Context& task) { return guard->run(task); });
    }
    if (guards.empty())
        return not_found("the plan protects nothing that this build can protect",
                         "Give a component a `protect:` section.");
    return scope.wait();
}

}  // namespace lifeboat::engine
