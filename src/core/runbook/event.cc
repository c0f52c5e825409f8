#include "core/runbook/event.h"

#include <utility>

namespace lifeboat::runbook {

Event::Event() = default;
Event::Event(Instant recorded, Body what) : at(recorded), body(std::move(what)) {}
Event::Event(const Event& other) = default;
Event::Event(Event&& other) noexcept = default;
Event& Event::operator=(const Event& other) = default;
Event& Event::operator=(Event&& other) noexcept = default;
Event::~Event() = default;

}  // namespace lifeboat::runbook
