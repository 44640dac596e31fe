#!/usr/bin/env bash
# Runs a command in a network namespace of its own, where it reaches itself at SFU_TEST_ADDRESS and nothing else.
#
#   namespace.sh COMMAND [ARGUMENT…]
#
# Firefox does not pair its candidates with 127.0.0.1, and offers none at all without a default route. So there is an
# interface with an address, and such a route. It leads to nobody: connections to the outside fail after 3 seconds.
set -euo pipefail

options=(--net)
# An ordinary user, and a root that may not, can become root of a namespace for users first, where that is allowed.
unshare "${options[@]}" true 2>/dev/null || options+=(--user --map-root-user)

export SFU_TEST_NAMESPACE=1 SFU_TEST_ADDRESS=10.77.0.1
exec unshare "${options[@]}" bash -euc '
	ip link set lo up
	ip link add sfu0 type veth peer name sfu1
	ip address add "$SFU_TEST_ADDRESS/24" dev sfu0
	ip link set sfu1 up
	ip link set sfu0 up
	ip route add default dev sfu0
	exec "$@"
' namespace "$@"
