/// The precompiled header of modules that use JSON. Nobody includes this file.
#pragma once

#include "pch_plain.h"

#include <nlohmann/json.hpp>
