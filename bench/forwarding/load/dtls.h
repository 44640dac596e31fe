// DTLS 1.2 of a client, and the keys of SRTP from it (RFC 5764).
#pragma once
#include <openssl/ssl.h>
#include <srtp2/srtp.h>

/** Creates the certificate of this process. */
SSL_CTX *create_context(void);

/** Writes the fingerprint of the certificate as SDP has it. `to` has room for 96 characters. */
void write_fingerprint(SSL_CTX *context, char *to);

SSL *create_session(SSL_CTX *context);

/** Creates the two directions of SRTP after the handshake. Returns the name of the profile, or NULL. */
const char *create_srtp(SSL *session, srtp_t *incoming, srtp_t *outgoing);
