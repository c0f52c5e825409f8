#include "providers/shell/capture.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"

namespace lifeboat::providers::shell {
namespace {

constexpr std::size_t line_max = 4096;
constexpr std::size_t values_max = 64;
constexpr std::string_view announcement = "::output ";

}  // namespace

void Capture::add(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view piece = text.substr(at, end - at);
        if (line_.size() + piece.size() > line_max)
            line_too_long_ = true;
        else
            line_ += piece;
        if (end < text.size()) {
            if (!line_too_long_) take_line(line_);
            line_.clear();
            line_too_long_ = false;
        }
        at = end + 1;
    }
    const std::size_t room = head_max_ - head_.size();
    head_ += text.substr(0, room);
    if (text.size() <= room) return;
    text.remove_prefix(room);
    tail_ += text;
    // Cut now and then, not at every piece: the flood costs linear time.
    if (tail_.size() > 2 * tail_max_) {
        dropped_ += tail_.size() - tail_max_;
        tail_.erase(0, tail_.size() - tail_max_);
    }
}

void Capture::finish() {
    if (!line_.empty() && !line_too_long_) take_line(line_);
    line_.clear();
    if (tail_.size() > tail_max_) {
        dropped_ += tail_.size() - tail_max_;
        tail_.erase(0, tail_.size() - tail_max_);
    }
}

std::string Capture::text() const {
    if (dropped_ == 0) return head_ + tail_;
    return fmt::format("{}\n[… {} bytes left out …]\n{}", head_, dropped_, tail_);
}

void Capture::take_line(std::string_view line) {
    if (!line.starts_with(announcement)) return;
    line = trim(line.substr(announcement.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    const std::string name(trim(line.substr(0, equals)));
    if (values_.size() < values_max || values_.contains(name))
        values_[name] = std::string(trim(line.substr(equals + 1)));
}

}  // namespace lifeboat::providers::shell
