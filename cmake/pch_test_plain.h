/// The precompiled header of the tests of modules that do not use JSON.
#pragma once

#include "pch_plain.h"

#include <gtest/gtest.h>
