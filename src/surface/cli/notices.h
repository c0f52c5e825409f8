#pragma once
/// Log lines beside a view that redraws the terminal: written at once while there is none, else
/// kept for the view, which puts them above its next frame. Thread-safe.

#include <string>
#include <vector>

#include "platform/observe/log.h"

namespace lifeboat::cli {

/// A sink for log::configure().
void show_notice(const log::Line& line);

/// While one exists, lines are kept. What is left at the end is written then. One at a time.
class NoticeShelf {
public:
    NoticeShelf();
    ~NoticeShelf();
    NoticeShelf(const NoticeShelf&) = delete;
    NoticeShelf& operator=(const NoticeShelf&) = delete;

    /// The lines since the last call, as log::plain_text() gives them.
    std::vector<std::string> take();
};

}  // namespace lifeboat::cli
