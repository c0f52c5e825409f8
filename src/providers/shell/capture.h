#pragma once
/// Output of a command within bounds: its head, its tail, how much was left out between, and the
/// values that it announced in lines `::output name=value`. Not thread-safe.

#include <map>
#include <string>
#include <string_view>

namespace lifeboat::providers::shell {

class Capture {
public:
    Capture(std::size_t head_max, std::size_t tail_max)
        : head_max_(head_max), tail_max_(tail_max) {}

    void add(std::string_view text);
    /// The last line, which may lack its newline. Call once, when no more comes.
    void finish();

    /// Head, a remark on what is missing, tail.
    std::string text() const;
    std::uint64_t dropped() const { return dropped_; }
    const std::map<std::string, std::string>& values() const { return values_; }

private:
    void take_line(std::string_view line);

    const std::size_t head_max_, tail_max_;
    std::string head_, tail_, line_;
    bool line_too_long_ = false;
    std::uint64_t dropped_ = 0;
    std::map<std::string, std::string> values_;
};

}  // namespace lifeboat::providers::shell
