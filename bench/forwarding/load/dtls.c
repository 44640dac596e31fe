#include "dtls.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

SSL_CTX *create_context(void) {
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400 * 30);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)"load", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_sign(certificate, key, EVP_sha256());
	SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
	SSL_CTX_use_certificate(context, certificate);
	SSL_CTX_use_PrivateKey(context, key);
	// The server is known: the fingerprint in its answer is not compared.
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80");
	return context;
}

void write_fingerprint(SSL_CTX *context, char *to) {
	unsigned char digest[32];
	X509_digest(SSL_CTX_get0_certificate(context), EVP_sha256(), digest, NULL);
	for (int index = 0; index < 32; index++) sprintf(to + index * 3, "%02X%s", digest[index], index < 31 ? ":" : "");
}

SSL *create_session(SSL_CTX *context) {
	SSL *session = SSL_new(context);
	SSL_set_options(session, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(session, 1200);
	SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(session), -1);
	SSL_set_connect_state(session);
	return session;
}

const char *create_srtp(SSL *session, srtp_t *incoming, srtp_t *outgoing) {
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(session);
	if (!profile) return NULL;
	srtp_policy_t policy = {0};
	policy.window_size = 1024;
	size_t key = 16, salt = 12;
	if (profile->id == SRTP_AEAD_AES_256_GCM) {
		key = 32;
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
	} else if (profile->id == SRTP_AEAD_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
	} else {
		salt = 14;
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
	}
	policy.rtcp = policy.rtp;
	// Both keys, the client's first, and then both salts.
	unsigned char material[2 * (32 + 14)], own[46], other[46];
	const char *label = "EXTRACTOR-dtls_srtp";
	if (SSL_export_keying_material(session, material, 2 * (key + salt), label, strlen(label), NULL, 0, 0) != 1) return NULL;
	memcpy(own, material, key);
	memcpy(own + key, material + 2 * key, salt);
	memcpy(other, material + key, key);
	memcpy(other + key, material + 2 * key + salt, salt);
	policy.ssrc.type = ssrc_any_inbound;
	policy.key = other;
	if (srtp_create(incoming, &policy)) return NULL;
	policy.ssrc.type = ssrc_any_outbound;
	policy.key = own;
	return srtp_create(outgoing, &policy) ? NULL : profile->name;
}
