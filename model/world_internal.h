/* model/world_internal.h: what the parts of a world share. Not for tools. */
#ifndef MODEL_WORLD_INTERNAL_H
#define MODEL_WORLD_INTERNAL_H

#include "model/cluster.h"
#include "model/deployment.h"
#include "model/workload.h"
#include "model/world.h"
#include "sim/network.h"

struct admin;
struct timeline;

struct world {
    struct sim *sim;
    struct memory *memory;
    struct network *network;
    const struct scenario *scenario;
    struct cluster *cluster;
    struct workload **workloads;     /* shape [scenario.producer_count] */
    struct deployment **deployments; /* shape [scenario.group_count] */
    struct admin *admin;
    struct timeline *timeline;
    entity_id sampler;
    int64_t step; /* of the time series */
};

/* Emits a PROCESS record of the state it is in now. */
void world_emit_process(struct sim *sim, process_id process);

#endif
