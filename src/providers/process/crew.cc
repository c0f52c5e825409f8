#include "providers/process/crew.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/observe/redact.h"
#include "platform/task/scope.h"
#include "providers/contract/marks.h"

namespace lifeboat::providers::process {
namespace {

constexpr std::chrono::milliseconds look_again{50};
constexpr std::chrono::seconds lock_patience{10};
constexpr std::chrono::seconds close_patience{3};
constexpr std::chrono::seconds stop_allowance{15};  // beyond the grace: SIGKILL, ports
constexpr std::chrono::milliseconds settle{250};    // a service without checks that ends by then
                                                    // has not come up
constexpr std::uint64_t last_words_max = 600;
const std::string host = "127.0.0.1";

/// What tells that a replica is up when the plan gives no health check.
std::vector<plan::Check> ready_checks(const Service& service, std::uint16_t port) {
    if (!service.component->health.empty()) return service.component->health;
    if (port == 0) return {};
    plan::Check open;
    open.type = "tcp";
    return {open};
}

}  // namespace

Result<std::unique_ptr<FileLock>> Crew::lock(const Context& context) {
    Files& files = services_.environment.files;
    TRY(make_site_directory(services_.environment, service_.site));
    TRY(make_durable_directory(files, service_.directory));
    const Context patient = context.within(lock_patience);
    while (true) {
        auto lock = files.lock(service_.directory / "lock");
        if (lock.has_value() || lock.error().kind != ErrorKind::conflict) return lock;
        auto slept = patient.sleep(look_again);
        if (!slept.has_value()) {
            TRY(context.check("waiting for " + service_.name()));
            return std::move(lock).error().in(service_.name());
        }
    }
}

Result<std::uint16_t> Crew::port_of(unsigned number, bool reserve) {
    if (service_.ports_automatic) {
        const std::string token = service_.port_token(number);
        if (reserve) return reserve_port(services_.environment, service_.site, token);
        const auto port = TRY(reserved_port(services_.environment, service_.site, token));
        return port.value_or(0);
    }
    if (service_.ports.empty()) return std::uint16_t{0};
    if (number > service_.ports.size())
        return invalid(fmt::format("{} has {} ports, none for replica {}", service_.name(),
                                   service_.ports.size(), number),
                       "Give it more ports, or write `ports: auto`.");
    return service_.ports[number - 1];
}

Result<bool> Crew::is_current(const Replica& replica) {
    if (!replica.alive) return false;
    const std::uint16_t port = TRY(port_of(replica.record.replica, false));
    if (port != replica.record.port) return false;
    const Launch wanted = TRY(launch_of(services_, service_, replica.record.replica, port));
    return digest_of(replica.record, wanted.configuration) == replica.record.digest;
}

Result<Converged> Crew::converge(const Context& context, unsigned count, const std::string& token,
                                 const ProgressSink& progress) {
    Converged done;
    auto replicas = TRY(look_up(services_.environment, service_));
    for (auto entry = replicas.rbegin(); entry != replicas.rend(); ++entry) {
        if (entry->first <= count) break;
        TRY(end(context, entry->second));
        TRY(forget(services_.environment, service_, entry->first));
        if (service_.ports_automatic)
            TRY(release_port(services_.environment, service_.site,
                             service_.port_token(entry->first)));
        done.stopped.push_back(entry->first);
    }
    std::vector<unsigned> stale;
    bool some_serve = false;
    for (unsigned number = 1; number <= count; ++number) {
        const auto known = replicas.find(number);
        bool current = false;
        if (known != replicas.end()) {
            current = TRY(is_current(known->second));
            if (!some_serve) some_serve = TRY(serves(context, known->second));
        }
        if (!current) stale.push_back(number);
    }
    for (const unsigned number : stale) {
        if (const auto known = replicas.find(number); known != replicas.end()) {
            TRY(end(context, known->second));
            (known->second.alive ? done.replaced : done.started).push_back(number);
        } else {
            done.started.push_back(number);
        }
        TRY(launch(context, number, token));
        // While some serve, the next one is only taken away when this one serves.
        if (some_serve) TRY(await_ready(context, number));
        if (progress) progress(number, count, "replicas");
    }
    for (unsigned number = 1; number <= count; ++number) {
        TRY(await_ready(context, number));
        if (progress) progress(number, count, "replicas");
        const std::uint16_t port = TRY(port_of(number, false));
        if (port != 0) done.endpoints.push_back(to_string(Endpoint{host, port}));
    }
    return done;
}

Result<std::vector<unsigned>> Crew::stop_all(const Context& context) {
    std::vector<unsigned> stopped;
    const auto replicas = TRY(look_up(services_.environment, service_));
    for (const auto& [number, replica] : replicas) {
        TRY(end(context, replica));
        TRY(forget(services_.environment, service_, number));
        if (replica.alive) stopped.push_back(number);
    }
    const auto lost = TRY(strays(services_.environment, service_, replicas));
    for (const ProcessIdentity& identity : lost)
        TRY(services_.environment.processes.stop_group(context, identity, service_.stop_timeout));
    for (std::size_t i = 0; i < service_.ports.size(); ++i)
        TRY(prove_closed(context, service_.ports[i], static_cast<unsigned>(i + 1)));
    return stopped;
}

Result<void> Crew::release_ports() {
    if (!service_.ports_automatic) return ok();
    for (unsigned number = 1; number <= service_.replicas; ++number)
        TRY(release_port(services_.environment, service_.site, service_.port_token(number)));
    return ok();
}

Result<void> Crew::end(const Context& context, const Replica& replica) {
    const Context bounded = context.within(service_.stop_timeout + stop_allowance);
    // Also when the leader is dead: its children may live on.
    const auto& identity = replica.alive ? replica.alive : replica.record.identity;
    if (identity)
        TRY(services_.environment.processes.stop_group(bounded, *identity, service_.stop_timeout));
    return prove_closed(bounded, replica.record.port, replica.record.replica);
}

Result<void> Crew::prove_closed(const Context& context, std::uint16_t port, unsigned number) {
    if (port == 0) return ok();
    const Context patient = context.within(close_patience);
    while (true) {
        const bool free = TRY(services_.environment.network.is_free(Endpoint{host, port}));
        if (free) return ok();
        auto slept = patient.sleep(look_again);
        if (slept.has_value()) continue;
        TRY(context.check("waiting for a port to close"));
        return conflict(
            fmt::format("port {} of replica {} of {} is served by a process that "
                        "Lifeboat did not start",
                        port, number, service_.name()),
            fmt::format("Find out who listens there (`ss -ltnp 'sport = :{}'`).", port));
    }
}

Result<void> Crew::launch(const Context& context, unsigned number, const std::string& token) {
    Environment& environment = services_.environment;
    TRY(context.check("starting " + service_.name()));
    const std::uint16_t port = TRY(port_of(number, true));
    Launch launch = TRY(launch_of(services_, service_, number, port));
    if (port != 0) {
        const bool free = TRY(environment.network.is_free(Endpoint{host, port}));
        if (!free)
            return conflict(
                fmt::format("port {} for replica {} of {} is taken", port, number, service_.name()),
                fmt::format("Stop who listens there (`ss -ltnp 'sport = :{}'`), or "
                            "give it another port.",
                            port));
    }
    Record record{.replica = number,
                  .nonce = environment.random.hex(16),
                  .token = token,
                  .salt = environment.random.hex(16),
                  .port = port,
                  .started = environment.clock.now()};
    record.digest = digest_of(record, launch.configuration);
    TRY(save(environment, service_, record));
    TRY(environment.files.make_directories(service_.logs, 0755));
    TRY(bound_log(environment, service_.log(number), service_.log_limit));
    launch.command.environment[mark_service] = mark_of(service_, number);
    launch.command.environment[mark_token] = record.nonce;
    auto started = environment.processes.start_daemon(
        context, Daemon{.command = std::move(launch.command), .log = service_.log(number)});
    if (!started.has_value())
        return std::move(started).error().in(
            fmt::format("replica {} of {}", number, service_.name()));
    record.identity = *started;
    return save(environment, service_, record);
}

Result<void> Crew::await_ready(const Context& context, unsigned number) {
    const Context bounded = context.within(service_.ready_within);
    const Monotonic settled = context.clock().monotonic() + settle;
    Look seen;
    while (true) {
        const auto replicas = TRY(look_up(services_.environment, service_));
        const auto known = replicas.find(number);
        const Replica* replica = known == replicas.end() ? nullptr : &known->second;
        const std::uint16_t port = replica == nullptr ? std::uint16_t{0} : replica->record.port;
        const auto checks = ready_checks(service_, port);
        seen = look_at(bounded, number, replica, checks);
        if (!seen.alive)
            return unavailable(fmt::format("replica {} of {} ended at once{}", number,
                                           service_.name(), last_words(number)),
                               fmt::format("Look into {}.", service_.log(number).string()));
        const bool proven = !checks.empty() || context.clock().monotonic() >= settled;
        if (seen.passed && proven) return ok();
        auto slept = bounded.sleep(look_again);
        if (slept.has_value()) continue;
        TRY(context.check(
            fmt::format("waiting for replica {} of {} ({})", number, service_.name(), seen.why)));
        return unavailable(
            fmt::format("replica {} of {} is not ready after {}: {}", number, service_.name(),
                        human_duration(service_.ready_within), seen.why),
            fmt::format("Look into {}; it was left running.", service_.log(number).string()));
    }
}

Result<bool> Crew::serves(const Context& context, const Replica& replica) {
    const auto checks = ready_checks(service_, replica.record.port);
    return look_at(context, replica.record.replica, &replica, checks).passed;
}

Look Crew::look_at(const Context& context, unsigned number, const Replica* replica,
                   const std::vector<plan::Check>& checks) {
    Look seen{.replica = number};
    if (replica == nullptr || !replica->alive) {
        seen.why = replica == nullptr ? "was not started" : "its process has ended";
        return seen;
    }
    seen.alive = true;
    seen.identity = replica->alive;
    seen.port = replica->record.port;
    probe::Place place{.host = host, .port = seen.port, .directory = services_.plan_directory};
    if (seen.port != 0) place.base_url = "http://" + to_string(Endpoint{host, seen.port});
    for (const plan::Check& check : checks) {
        if (check.type == "process") continue;  // it is alive
        plan::Check own = check;
        auto filled = fill(service_, check.settings, number, seen.port);
        if (!filled.has_value()) {
            seen.why = filled.error().message;
            return seen;
        }
        own.settings = *std::move(filled);
        const auto result = probe::run_check(context, services_.environment, own, place);
        seen.why = fmt::format("{}: {}", result.name, result.detail);
        if (!result.passed) return seen;
    }
    seen.passed = true;
    if (seen.why.empty()) seen.why = "alive";
    return seen;
}

Result<std::vector<Look>> Crew::look(const Context& context, const std::vector<plan::Check>& checks,
                                     unsigned count) {
    const auto replicas = TRY(look_up(services_.environment, service_));
    std::set<unsigned> numbers;
    for (unsigned number = 1; number <= count; ++number) numbers.insert(number);
    for (const auto& [number, replica] : replicas) numbers.insert(number);
    // Side by side: one that hangs must not use up the time of the others.
    std::vector<Look> seen(numbers.size());
    TaskScope scope(context);
    std::size_t at = 0;
    for (const unsigned number : numbers) {
        const auto known = replicas.find(number);
        const Replica* replica = known == replicas.end() ? nullptr : &known->second;
        scope.spawn([this, &checks, number, replica, &place = seen[at++]](const Context& task) {
            place = look_at(task, number, replica, checks);
            return ok();
        });
    }
    TRY(scope.wait());
    return seen;
}

std::string Crew::last_words(unsigned number) {
    auto file = services_.environment.files.open(service_.log(number), OpenMode::read);
    if (!file.has_value()) return {};
    const auto size = (*file)->size();
    if (!size.has_value() || *size == 0) return {};
    Bytes bytes(std::min(*size, last_words_max));
    const auto count = (*file)->read_at(*size - bytes.size(), bytes);
    if (!count.has_value()) return {};
    const std::string_view text = trim(as_text(ByteView(bytes).first(*count)));
    return ": " + redact(text.substr(text.rfind('\n') + 1));  // npos + 1 is 0: the only line
}

Result<void> bound_log(Environment& environment, const Path& log, std::uint64_t limit) {
    const auto status = environment.files.status(log);
    if (!status.has_value() || status->size <= limit) return ok();
    // Whoever writes it appends, so it goes on at the beginning of what is now an empty file. Lines
    // written between the copy and the cut are lost; a service is never stopped for its log.
    auto from = TRY(environment.files.open(log, OpenMode::update));
    auto to = TRY(environment.files.open(Path(log.string() + ".1"), OpenMode::create_or_empty));
    const std::uint64_t size = TRY(from->size());
    Bytes block(std::size_t{1} << 20U);
    for (std::uint64_t at = size > limit ? size - limit : 0; at < size;) {
        const std::size_t count = TRY(from->read_at(at, block));
        if (count == 0) break;
        TRY(to->append(ByteView(block).first(count)));
        at += count;
    }
    return from->truncate(0);
}

}  // namespace lifeboat::providers::process
