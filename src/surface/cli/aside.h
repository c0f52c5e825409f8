#pragma once
/// While a run is driven, what people see is written by a thread of its own: a terminal that hangs
/// (Ctrl-S, a dead connection, a pager that nobody scrolls) must hold up no recovery.
///
/// Thread-safe.

#include <atomic>
#include <string>

#include "platform/task/queue.h"
#include "platform/task/scope.h"
#include "surface/cli/output.h"

namespace lifeboat::cli {

/// One at a time for an output. Its end waits until all is written, or the writing has failed.
class Aside {
public:
    explicit Aside(const Output& output);
    ~Aside();
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

    /// Never waits. What is given beyond the bound is lost, and the output knows it.
    void give(int descriptor, std::string text);
    /// Something given is not written yet: a picture more would only be in the way.
    bool is_behind() const { return open_ > 0; }

private:
    struct Piece {
        int descriptor = 0;
        std::string text;
    };
    void write_all();

    const Output& output_;
    Queue<Piece> pieces_;
    std::atomic<std::size_t> open_{0};  ///< pieces given and not written
    TaskScope writer_;
};

}  // namespace lifeboat::cli
