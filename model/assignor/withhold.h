/* model/assignor/withhold.h: which partitions cooperative-sticky holds back (KIP-429). */
#ifndef MODEL_ASSIGNOR_WITHHOLD_H
#define MODEL_ASSIGNOR_WITHHOLD_H

#include "model/assignor/sticky.h"

/* Both move slots from output->owner to output->withheld_for. */
void withhold_after_equal(struct sticky *sticky);
void withhold_after_unequal(struct sticky *sticky);

#endif
