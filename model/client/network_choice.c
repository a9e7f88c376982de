#include "model/client/network_client_internal.h"

int32_t network_client_node_count(const struct network_client *client)
{
    return client->channel_count / 2;
}

bool network_client_is_ready(const struct network_client *client, int32_t channel)
{
    return client->channels[channel].state == CHANNEL_READY;
}

bool network_client_is_unavailable(const struct network_client *client, int32_t channel)
{
    return client->channels[channel].state == CHANNEL_DISCONNECTED &&
           !channel_may_connect(client, &client->channels[channel]);
}

int32_t network_client_pending(const struct network_client *client, int32_t channel)
{
    return client->channels[channel].requests.count;
}

sim_time network_client_backoff_ends_at(const struct network_client *client, int32_t channel)
{
    if (client->channels[channel].state != CHANNEL_DISCONNECTED) return 0;
    return client->channels[channel].backoff_ends_at;
}

int32_t network_client_least_loaded(struct network_client *client)
{
    int32_t nodes = network_client_node_count(client);
    uint64_t offset = rng_below(&client->choice_key, client->choices++, (uint64_t)nodes);
    int32_t ready = CHANNEL_NONE;
    int32_t connecting = CHANNEL_NONE;
    int32_t possible = CHANNEL_NONE;
    for (int32_t i = 0; i < nodes; i++) {
        int32_t index = CHANNEL_DATA((int32_t)((offset + (uint64_t)i) % (uint64_t)nodes));
        const struct channel *channel = &client->channels[index];
        if (channel->state == CHANNEL_READY) {
            if (channel->requests.count == 0) return index;
            if (ready == CHANNEL_NONE ||
                channel->requests.count < client->channels[ready].requests.count) {
                ready = index;
            }
        } else if (channel->state == CHANNEL_CONNECTING) {
            connecting = index;
        } else if (possible == CHANNEL_NONE && channel_may_connect(client, channel)) {
            possible = index;
        }
    }
    if (ready != CHANNEL_NONE) return ready;
    return connecting != CHANNEL_NONE ? connecting : possible;
}
