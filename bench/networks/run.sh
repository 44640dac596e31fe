#!/usr/bin/env bash
# Runs the scenarios of bench/networks between hosts of their own: a server, and two clients behind emulated links.
#
#   bench/networks/run.sh [narrow|shared|lossy]… [one|three]… [client|server|mediasoup]… [--json FILE]
#
# Without words everything is run: each scenario, with one layer and three, and with sfu-rooms by offers of the client, by
# offers of the server, and bare mediasoup with mediasoup-client. It prints a table. FILE also has the samples of each second.
#
# It needs root, iproute2, ethtool, a C compiler and Chromium. A link is an emulator between two interfaces, in user space,
# because many kernels of containers have no netem. It reads the file of its client again whenever it changes.
set -euo pipefail
export SFU_BENCH_CALLER=$PWD
cd "$(dirname "$0")/../.."

prefix=sfu$$
folder=$(mktemp -d)
emulators=()

finish() {
	for pid in "${emulators[@]}"; do kill "$pid" 2>/dev/null || true; done
	for host in server a b links; do ip netns del "$prefix-$host" 2>/dev/null || true; done
	rm -rf "$folder"
}
trap finish EXIT

cc -O2 -o "$folder/emulator" bench/networks/emulator.c

# What a network card would do later has to be done before the emulator sees a packet.
without_offload() { ip netns exec "$1" ethtool -K "$2" tx off sg off tso off gso off gro off >/dev/null 2>&1; }

for host in server a b links; do
	ip netns add "$prefix-$host"
	ip -n "$prefix-$host" link set lo up
done
ip -n "$prefix-links" link add bridge type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip -n "$prefix-links" link set dev bridge up

# Connects a host to the bridge, for a client through an emulator.
number=0
for host in server a b; do
	number=$((number + 1))
	ip -n "$prefix-$host" link add eth0 type veth peer name "$host" netns "$prefix-links"
	ip -n "$prefix-links" link set dev "$host" up
	without_offload "$prefix-$host" eth0
	without_offload "$prefix-links" "$host"
	ip -n "$prefix-$host" address add "10.50.0.$number/24" dev eth0
	ip -n "$prefix-$host" link set dev eth0 up
	# Browsers gather candidates only where there is a default route.
	ip -n "$prefix-$host" route add default via 10.50.0.1 2>/dev/null || ip -n "$prefix-$host" route add default dev eth0
	if [ "$host" = server ]; then
		ip -n "$prefix-links" link set dev server master bridge
		continue
	fi
	ip -n "$prefix-links" link add "$host-in" type veth peer name "$host-out"
	ip -n "$prefix-links" link set dev "$host-out" master bridge
	for end in in out; do
		ip -n "$prefix-links" link set dev "$host-$end" up
		without_offload "$prefix-links" "$host-$end"
	done
	printf 'up\ndown\n' >"$folder/$host.conf"
	ip netns exec "$prefix-links" "$folder/emulator" "$host" "$host-in" "$folder/$host.conf" &
	emulators+=($!)
	printf '#!/bin/sh\nexec ip netns exec %s "%s" "$@"\n' "$prefix-$host" "${CHROMIUM_BIN:-/usr/bin/chromium}" >"$folder/chromium-$host"
	chmod +x "$folder/chromium-$host"
done

SFU_BENCH_NETWORK=$folder ip netns exec "$prefix-server" node --import tsx bench/networks/index.ts "$@"
