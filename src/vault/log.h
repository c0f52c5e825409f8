#pragma once
/// Logs (see LogWriter and LogReader in vault.h): what a log's files make together.

#include "vault/log_file.h"

namespace lifeboat::vault {

/// The log files of a vault, as far as they were looked at: each is scanned once, then only its
/// growth. Thread-safe.
class LogCatalog {
public:
    explicit LogCatalog(Access& access) : access_(access) {}

    /// Files whose name begins with `prefix`, refreshed, by name.
    Result<std::vector<std::shared_ptr<LogFile>>> files(const std::string& prefix);

private:
    Access& access_;
    Mutex mutex_;
    std::map<std::string, std::shared_ptr<LogFile>> files_ GUARDED_BY(mutex_);
};

/// Errors: invalid.
Result<void> check_log_name(const LogName& name);

/// What these files hold together.
LogStatus log_status(const LogName& name, const std::vector<std::shared_ptr<LogFile>>& files);

/// Errors: not_found (no such log).
Result<std::unique_ptr<LogReader>> open_log(LogCatalog& catalog, const LogName& name);
Result<std::vector<LogStatus>> list_logs(LogCatalog& catalog, const std::string& component);
Result<std::unique_ptr<LogWriter>> append_log(Access& access, LogCatalog& catalog,
                                              const LogName& name, std::uint64_t begin);

}  // namespace lifeboat::vault
