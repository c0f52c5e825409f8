#include "surface/cli/aside.h"

#include <cerrno>
#include <utility>

#include "platform/env/environment.h"

namespace lifeboat::cli {
namespace {

constexpr std::size_t pieces_max = 100'000;  // a run of a thousand steps has some ten thousand

}  // namespace

Aside::Aside(const Output& output)
    : output_(output), pieces_(pieces_max), writer_(Context(real_environment().clock)) {
    writer_.spawn([this](const Context&) {
        write_all();
        return ok();
    });
    output_.use(this);
}

Aside::~Aside() {
    output_.use(nullptr);
    pieces_.close();
    (void)writer_.wait();  // Ignored: writing keeps its troubles with the output.
}

void Aside::give(int descriptor, std::string text) {
    if (open_ >= pieces_max) return output_.keep(ENOBUFS);
    ++open_;
    // Ignored: it has room, and is closed only after the last user has gone.
    (void)pieces_.push(Context(real_environment().clock), Piece{descriptor, std::move(text)});
}

void Aside::write_all() {
    const Context for_ever(real_environment().clock);
    while (true) {
        auto piece = pieces_.pop(for_ever);
        if (!piece.has_value() || !piece->has_value()) return;
        output_.put_now((*piece)->descriptor, (*piece)->text);
        --open_;
    }
}

}  // namespace lifeboat::cli
