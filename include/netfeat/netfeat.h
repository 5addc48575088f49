/* netfeat.h - every public header. */
#ifndef NETFEAT_NETFEAT_H
#define NETFEAT_NETFEAT_H

#include <netfeat/base.h>
#include <netfeat/version.h>
#include <netfeat/error.h>
#include <netfeat/context.h>
#include <netfeat/options.h>
#include <netfeat/source.h>
#include <netfeat/column.h>
#include <netfeat/field.h>
#include <netfeat/table.h>
#include <netfeat/flow.h>
#include <netfeat/feature.h>
#include <netfeat/encoder.h>
#include <netfeat/pipeline.h>
#include <netfeat/export.h>
#include <netfeat/stream.h>

#endif
