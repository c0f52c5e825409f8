#include "platform/codec/yaml.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "platform/codec/yaml_builder.h"
#include "platform/codec/yaml_errors.h"
#include "platform/codec/yaml_source.h"

namespace lifeboat::yaml {
namespace {

std::size_t offset_of(const YAML::Mark& mark) {
    return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
}

bool is_flow(YAML::EmitterStyle::value style) { return style == YAML::EmitterStyle::Flow; }

/// Hands the events of the first document to the builder, and notes where a second one begins.
class Events final : public YAML::EventHandler {
public:
    explicit Events(Builder& builder) : builder_(builder) {}
    const std::optional<std::size_t>& second_document() const { return second_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (!std::exchange(begun_, true)) return;
        if (!second_) second_ = offset_of(mark);
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (!second_) builder_.null(offset_of(mark), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (!second_) builder_.alias(offset_of(mark), anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        if (!second_) builder_.scalar(offset_of(mark), tag, anchor, value);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        if (!second_) builder_.open(Type::sequence, offset_of(mark), tag, anchor, is_flow(style));
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        if (!second_) builder_.open(Type::mapping, offset_of(mark), tag, anchor, is_flow(style));
    }
    void OnMapEnd() override { close(); }

private:
    void close() {
        if (!second_) builder_.close();
    }

    Builder& builder_;
    bool begun_ = false;
    std::optional<std::size_t> second_;
};

/// Where the parser stopped and with which words; it tells it by exception only.
struct Complaint {
    std::size_t offset = 0;
    std::string text;
};

template <class Read>
std::optional<Complaint> complaint_of(const Source& source, Read read) {
    try {
        read();
        return std::nullopt;
    } catch (const YAML::Exception& error) {
        return Complaint{.offset = offset_of(error.mark), .text = error.msg};
    } catch (const std::exception& error) {
        return Complaint{.offset = source.text().size(), .text = error.what()};
    }
}

Problem problem_of(const Complaint& complaint, Source& source, Builder& builder) {
    const std::string_view rest =
        std::string_view(source.text()).substr(std::min(complaint.offset, source.text().size()));
    const bool at_end = rest.find_first_not_of(" \t\r\n") == rest.npos;
    Problem problem{.at = source.position(complaint.offset), .message = {}, .hint = {}};
    if (!builder.open_flow() && source.is_indented_by_tab(complaint.offset)) {
        problem.message = "a tab in the indentation";
        problem.hint = "Indent with spaces.";
        return problem;
    }
    const bool flow = complaint.text.contains("flow not found");
    if (const auto opened = builder.open_flow(); flow && at_end && opened) {
        problem.at = *opened;
        problem.message =
            complaint.text.contains("map") ? "'{' is never closed" : "'[' is never closed";
        problem.hint = "Add the closing bracket, or put the text in quotes.";
        return problem;
    }
    if (const auto quoted = builder.quoted_before(complaint.offset)) {
        problem.message =
            fmt::format("text behind the end of a quoted text that began at line {}", quoted->line);
        problem.hint =
            quoted->line == problem.at.line
                ? "Put all of the value inside of the quotes."
                : fmt::format("Probably the closing quote is missing at line {}.", quoted->line);
        return problem;
    }
    Wording wording = wording_of(complaint.text, rest);
    problem.message = std::move(wording.message);
    problem.hint = std::move(wording.hint);
    return problem;
}

Problem second_document(std::size_t offset, Source& source, const Node& root) {
    Problem problem{.at = source.position(offset), .message = {}, .hint = {}};
    if (source.text().compare(offset, 3, "---") == 0) {
        problem.message = "a second document begins here";
        problem.hint = "A file holds one document; move this one to a file of its own.";
        return problem;
    }
    problem.message = "text behind the end of the document";
    if (problem.at.column < root.at.column) {
        problem.hint = "Check the indentation: this line stands further left than the first one.";
    } else if (root.is_sequence()) {
        problem.hint = "Every item of the list begins with '- '.";
    } else {
        problem.hint = "Delete it, or check the lines before it.";
    }
    return problem;
}

}  // namespace

const Entry* Node::entry(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &Entry::key);
    return found == entries.end() ? nullptr : &*found;
}

const Node* Node::find(std::string_view key) const {
    const Entry* found = entry(key);
    return found == nullptr ? nullptr : &found->value;
}

Document parse(std::string_view text, std::uint32_t file) {
    Document document;
    document.root.at = {.file = file, .line = 1, .column = 1};
    Source source(text, file, document.problems);
    if (!source.readable()) return document;

    std::istringstream stream(source.text());
    Builder builder(source, document.problems);
    Events events(builder);
    const auto complaint = complaint_of(source, [&] {
        YAML::Parser parser(stream);
        if (parser.HandleNextDocument(events)) (void)parser.HandleNextDocument(events);
    });
    const bool explained = complaint && builder.explains(complaint->offset);
    if (complaint && !explained && !events.second_document())
        document.problems.push_back(problem_of(*complaint, source, builder));
    if (Node root = builder.finish(); root.at.line != 0) document.root = std::move(root);
    // What is wrong inside a second document matters to nobody.
    if (const auto& second = events.second_document())
        document.problems.push_back(second_document(*second, source, document.root));
    std::ranges::stable_sort(document.problems, {}, &Problem::at);
    return document;
}

}  // namespace lifeboat::yaml
