/* The whole public API of libstwatch. */
#ifndef STWATCH_STWATCH_H
#define STWATCH_STWATCH_H

#include "stwatch/analysis.h"
#include "stwatch/context.h"
#include "stwatch/cut.h"
#include "stwatch/events.h"
#include "stwatch/index.h"
#include "stwatch/path.h"
#include "stwatch/profile.h"
#include "stwatch/sources.h"
#include "stwatch/states.h"
#include "stwatch/status.h"

#endif
