// Binding requests of ICE (RFC 8445), by which a client connects, and consents to be sent to.
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Writes a binding request that nominates its pair, and returns its length. `to` has room for 200 bytes. */
size_t write_binding_request(uint8_t *to, const char *username, const char *password);
