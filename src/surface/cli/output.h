#pragma once
/// What people and machines see: colours only where they help, JSON where it was asked for.
///
/// Results go to standard output, everything about them to standard error. All text passes the
/// redactor. A result that could not be written is told once on standard error and makes the
/// command fail; that a reader has gone (`| head`) is no failure. Thread-safe by line.

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/codec/json.h"
#include "surface/cli/exit_code.h"

namespace lifeboat::cli {

enum class Tone { plain, good, warning, bad, faint, strong };

class Aside;

class Output {
public:
    struct Options {
        bool json = false;
        bool colour = false;  ///< of standard output
        bool live = false;    ///< standard error is a terminal that can be redrawn
    };
    explicit Output(Options options) : options_(options) {}

    bool json() const { return options_.json; }
    bool colour() const { return options_.colour; }
    bool live() const { return options_.live; }

    void line(std::string_view text = {}) const;  ///< standard output
    void drawing(std::string_view text) const;    ///< standard output, as it is: for a terminal
    void note(std::string_view text) const;       ///< standard error
    /// Standard error, as it is: one more picture of something that goes on.
    void frame(std::string_view text) const;
    /// The terminal has not taken yet what it was given: a frame may be left out.
    bool is_behind() const;
    void document(const Json& value) const;  ///< `--json`: one document on standard output
    void event(const Json& value) const;     ///< `--json` of something long: one line each
    /// "lifeboat: error: …" and its hint; as a JSON object on standard output with --json.
    void error(const Error& error) const;
    std::string paint(Tone tone, std::string_view text) const;
    /// Columns aligned by their visible width.
    void table(const std::vector<std::vector<std::string>>& rows) const;

    /// Nobody gets the results any more: what only shows things may end.
    bool is_lost() const { return problem_ != 0; }
    /// The status of a command that would end with `code`: failed when its result was not written.
    ExitCode finish(ExitCode code) const;

private:
    friend class Aside;
    void use(Aside* aside) const { aside_ = aside; }
    void put(int descriptor, std::string text) const;
    void put_now(int descriptor, std::string_view text) const;
    void keep(int problem) const;

    Options options_;
    mutable std::atomic<Aside*> aside_{nullptr};
    mutable std::atomic<int> problem_{0};  ///< errno of the first write that failed
};

/// Gives the numbers 0 to 2 to something, where the caller has closed them: else the first file
/// that is opened (the state's) would get what is written for people.
void open_standard_streams();

/// Columns aligned by their visible width, a line each.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows);
/// The number of columns that the text takes (UTF-8, escape sequences take none).
std::size_t visible_width(std::string_view text);
/// The text in at most `width` columns, whole characters and escape sequences; "…" where it was
/// cut.
std::string clip(std::string_view text, std::size_t width);

struct TerminalSize {
    unsigned width = 100;
    unsigned height = 50;
};
/// Of standard error, asked anew each time: people resize their terminals.
TerminalSize terminal_size();

}  // namespace lifeboat::cli
