#include "core/runbook/graph.h"
#include "core/runbook/names.h"

namespace lifeboat::runbook {
namespace {

// What equals the default is left out: the graph of a run is journaled whole.
const Node plain;

Json texts(const std::vector<StepId>& ids) {
    Json list = Json::array();
    for (const StepId& id : ids) list.push_back(id.value);
    return list;
}

void add_text(Json& out, const char* name, const std::string& text) {
    if (!text.empty()) out[name] = text;
}
void add_flag(Json& out, const char* name, bool value, bool fallback) {
    if (value != fallback) out[name] = value;
}
void add_duration(Json& out, const char* name, Duration value) {
    if (value != Duration::zero()) out[name] = value.count();
}

std::vector<std::string> text_list(const Json& value, const char* name) {
    std::vector<std::string> list;
    const auto found = value.find(name);
    if (found == value.end() || !found->is_array()) return list;
    for (const Json& item : *found)
        if (item.is_string()) list.push_back(item.get<std::string>());
    return list;
}
std::vector<StepId> id_list(const Json& value, const char* name) {
    std::vector<StepId> list;
    for (std::string& text : text_list(value, name)) list.emplace_back(std::move(text));
    return list;
}
Duration duration_in(const Json& value, const char* name) {
    return Duration(integer_or(value, name, 0));
}

Json approval_json(const Node& node) {
    Json approve{{"by", node.approve->by}};
    if (node.approve->within) approve["within_us"] = node.approve->within->count();
    add_text(approve, "statement", node.approve->statement);
    if (!node.approvers.empty()) {
        Json& approvers = approve["approvers"] = Json::object();
        for (const auto& [name, people] : node.approvers) approvers[name] = people;
    }
    return approve;
}

void read_approval(const Json& value, Node& node) {
    plan::Approval approval;
    approval.by = text_list(value, "by");
    if (value.contains("within_us")) approval.within = duration_in(value, "within_us");
    approval.statement = string_or(value, "statement", "");
    if (const auto found = value.find("approvers"); found != value.end() && found->is_object())
        for (const auto& [name, people] : found->items())
            node.approvers[name] = text_list(*found, name.c_str());
    node.approve = std::move(approval);
}

template <class T>
Result<T> known(std::optional<T> value, const char* what, const std::string& text) {
    if (value) return *value;
    return corrupt(std::string("unknown ") + what + " '" + text + "' of a step");
}

}  // namespace

Json to_json(const Node& node) {
    Json out{{"id", node.id.value}, {"verb", node.verb}};
    add_text(out, "component", node.component);
    add_text(out, "kind", node.kind);
    add_text(out, "site", node.site);
    add_text(out, "priority", node.priority);
    if (!node.arguments.empty()) out["arguments"] = node.arguments;
    if (!node.needs.empty()) out["needs"] = texts(node.needs);
    if (!node.adopts.empty()) out["adopts"] = node.adopts;
    add_text(out, "token", node.token);
    out["conduct"] = to_string(node.conduct);
    out["safety"] = to_string(node.safety);
    add_flag(out, "mutating", node.mutating, plain.mutating);
    add_flag(out, "destructive", node.destructive, plain.destructive);
    add_flag(out, "makes_instance", node.makes_instance, plain.makes_instance);
    add_flag(out, "needs_fenced", node.needs_fenced, plain.needs_fenced);
    if (node.attempts_max != plain.attempts_max) out["attempts_max"] = node.attempts_max;
    add_duration(out, "timeout_us", node.timeout);
    add_duration(out, "backoff_first_us", node.backoff_first);
    add_duration(out, "backoff_max_us", node.backoff_max);
    if (node.approve) out["approve"] = approval_json(node);
    if (node.on_failure != plain.on_failure) out["on_failure"] = to_string(node.on_failure);
    add_duration(out, "estimate_us", node.estimate);
    add_text(out, "undo", node.undo);
    add_text(out, "note", node.note);
    add_text(out, "undoes", node.undoes.value);
    return out;
}

Result<Node> node_from_json(const Json& value) {
    if (!value.is_object()) return corrupt("a step of a graph is no object");
    Node node;
    node.id.value = TRY(get_string(value, "id"));
    node.verb = TRY(get_string(value, "verb"));
    node.component = string_or(value, "component", "");
    node.kind = string_or(value, "kind", "");
    node.site = string_or(value, "site", "");
    node.priority = string_or(value, "priority", "");
    if (const auto found = value.find("arguments"); found != value.end()) node.arguments = *found;
    node.needs = id_list(value, "needs");
    node.adopts = text_list(value, "adopts");
    node.token = string_or(value, "token", "");
    const std::string conduct = string_or(value, "conduct", "act");
    node.conduct = TRY(known(conduct_from(conduct), "conduct", conduct));
    const std::string safety = string_or(value, "safety", "probeable");
    node.safety = TRY(known(safety_from(safety), "safety", safety));
    node.mutating = bool_or(value, "mutating", plain.mutating);
    node.destructive = bool_or(value, "destructive", plain.destructive);
    node.makes_instance = bool_or(value, "makes_instance", plain.makes_instance);
    node.needs_fenced = bool_or(value, "needs_fenced", plain.needs_fenced);
    node.attempts_max =
        static_cast<unsigned>(integer_or(value, "attempts_max", plain.attempts_max));
    node.timeout = duration_in(value, "timeout_us");
    node.backoff_first = duration_in(value, "backoff_first_us");
    node.backoff_max = duration_in(value, "backoff_max_us");
    if (const auto found = value.find("approve"); found != value.end()) read_approval(*found, node);
    const std::string on_failure = string_or(value, "on_failure", "stop");
    node.on_failure = TRY(known(on_failure_from(on_failure), "on_failure", on_failure));
    node.estimate = duration_in(value, "estimate_us");
    node.undo = string_or(value, "undo", "");
    node.note = string_or(value, "note", "");
    node.undoes = StepId(string_or(value, "undoes", ""));
    return node;
}

Json to_json(const Graph& graph) {
    Json out{{"concurrency_max", graph.concurrency_max}};
    Json& nodes = out["nodes"] = Json::array();
    for (const Node& node : graph.nodes) nodes.push_back(to_json(node));
    if (!graph.undo.empty()) {
        Json& undo = out["undo"] = Json::array();
        for (const Node& node : graph.undo) undo.push_back(to_json(node));
    }
    return out;
}

Result<Graph> graph_from_json(const Json& value) {
    if (!value.is_object()) return corrupt("a graph is no object");
    Graph graph;
    graph.concurrency_max =
        static_cast<unsigned>(integer_or(value, "concurrency_max", graph.concurrency_max));
    for (auto [name, list] : {std::pair("nodes", &graph.nodes), std::pair("undo", &graph.undo)}) {
        const auto found = value.find(name);
        if (found == value.end()) continue;
        for (const Json& item : *found) {
            Node node = TRY(node_from_json(item));
            list->push_back(std::move(node));
        }
    }
    return graph;
}

}  // namespace lifeboat::runbook
