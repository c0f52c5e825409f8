/// The precompiled header of the tests: pch.h and GoogleTest.
#pragma once

#include "pch.h"

#include <gtest/gtest.h>
