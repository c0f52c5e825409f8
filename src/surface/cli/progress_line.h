#pragma once
/// The progress of one long thing that is no run: a line redrawn on a terminal, with the rate and
/// what is left by it; a line for each tenth in a pipe; nothing with --json. Thread-safe.

#include <string>

#include "platform/base/time.h"
#include "platform/task/mutex.h"
#include "surface/cli/output.h"

namespace lifeboat::cli {

/// "database  43%  1.2 GiB of 2.8 GiB, 210 MiB/s, about 8s left". A total of 0 is not known.
std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t total,
                          std::string_view unit, Duration elapsed);

class ProgressLine {
public:
    ProgressLine(const Output& output, const Clock& clock, std::string what);
    ~ProgressLine();  ///< takes the line away
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void update(std::uint64_t done, std::uint64_t total, std::string_view unit);

private:
    const Output& output_;
    const Clock& clock_;
    const std::string what_;
    const Monotonic began_;
    Mutex mutex_;
    Monotonic told_ GUARDED_BY(mutex_){};
    std::uint64_t tenth_ GUARDED_BY(mutex_) = 0;
    bool drawn_ GUARDED_BY(mutex_) = false;
};

}  // namespace lifeboat::cli
