#include "surface/cli/notices.h"

#include <utility>

#include "platform/task/mutex.h"

namespace lifeboat::cli {
namespace {

/// The log is one for the program, and so is what it is kept in.
struct Kept {
    Mutex mutex;
    bool open GUARDED_BY(mutex) = false;
    std::vector<log::Line> lines GUARDED_BY(mutex);
};

Kept& kept() {
    static Kept the_kept;
    return the_kept;
}

std::vector<log::Line> take_lines(bool open) {
    MutexLock lock(kept().mutex);
    kept().open = open;
    return std::exchange(kept().lines, {});
}

}  // namespace

void show_notice(const log::Line& line) {
    {
        MutexLock lock(kept().mutex);
        if (kept().open) return kept().lines.push_back(line);
    }
    log::to_standard_error(line);
}

NoticeShelf::NoticeShelf() { (void)take_lines(true); }

NoticeShelf::~NoticeShelf() {
    for (const log::Line& line : take_lines(false)) log::to_standard_error(line);
}

std::vector<std::string> NoticeShelf::take() {
    std::vector<std::string> texts;
    for (const log::Line& line : take_lines(true)) texts.push_back(log::plain_text(line));
    return texts;
}

}  // namespace lifeboat::cli
